import { Body, Controller, Get, Headers, HttpCode, Inject, Post } from '@nestjs/common';
import { Allow, Asking, HttpProblem, type Caller } from '@twinkey/service';
import type { Bus } from '@twinkey/service-bus';
import type { Commands } from '../commands.js';
import { entityNamed, listDeadLetters } from '../dead-letters.js';
import { questionOf } from '../idempotency.js';
import { BUS, COMMANDS } from '../parts.js';
import type { DeadLettersReplayed, DeadLetterView } from './answers.js';
import { askedBy } from './asked-by.js';
import { idempotencyKeyOf } from './idempotency-key.js';
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
    @Headers('idempotency-key') key: string | undefined,
    @Asking() caller: Caller,
  ): Promise<DeadLettersReplayed> {
    const source = entityNamed(body.entity);
    if (!source) {
      throw new HttpProblem(404, 'entity-unknown', `"${body.entity}" is no queue or fixed subscription.`);
    }
    const { by: said, ...details } = body;
    const [command, by] = ['replay-dead-letters', askedBy(caller, said)];
    const question = questionOf(idempotencyKeyOf(key), command, by, details);
    const selection = 'all' in body ? ({ all: true } as const) : { sequenceNumbers: body.sequenceNumbers };
    // A letter that was sent again is not there for a repetition, so one that died half-way may be done once more.
    return this.commands.once({ command, by, details, question }, async () => {
      const replayed = await this.bus.deadLetters(source).replay(selection);
      return {
        entity: body.entity,
        messages: replayed.map(({ sequenceNumber, id, outcome }) => ({ sequenceNumber, id, outcome })),
      };
    });
  }
}
