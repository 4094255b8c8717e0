import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { Allow, Asking, HttpProblem, type Caller } from '@twinkey/service';
import type { Bus } from '@twinkey/service-bus';
import type { Commands } from '../commands.js';
import { entityNamed, listDeadLetters } from '../dead-letters.js';
import { BUS, COMMANDS } from '../parts.js';
import type { DeadLettersReplayed, DeadLetterView } from './answers.js';
import { askedBy } from './asked-by.js';
import { parse } from './parse.js';
import { ReplayDeadLettersBody } from './questions.js';

@Allow('read')
@Controller('v1/dead-letters')
export class DeadLettersController {
  constructor(
    @Inject(BUS) private readonly bus: Bus,
    @Inject(COMMANDS) private readonly commands: Commands,
  ) {}

  @Get()
  async list(): Promise<{ deadLetters: DeadLetterView[] }> {
    return { deadLetters: await listDeadLetters(this.bus) };
  }

  @Allow('operate')
  @Post('replay')
  @HttpCode(200)
  async replay(
    @Body(parse(ReplayDeadLettersBody)) body: ReplayDeadLettersBody,
    @Asking() caller: Caller,
  ): Promise<DeadLettersReplayed> {
    const source = entityNamed(body.entity);
    if (!source) {
      throw new HttpProblem(404, 'entity-unknown', `"${body.entity}" is no queue or fixed subscription.`);
    }
    const { by, ...details } = body;
    await this.commands.note({ command: 'replay-dead-letters', by: askedBy(caller, by), details });
    const selection = 'all' in body ? ({ all: true } as const) : { sequenceNumbers: body.sequenceNumbers };
    const replayed = await this.bus.deadLetters(source).replay(selection);
    return {
      entity: body.entity,
      messages: replayed.map(({ sequenceNumber, id, outcome }) => ({ sequenceNumber, id, outcome })),
    };
  }
}
