import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ConsumerName, ReceiverAcknowledgement, type ReceiverAcknowledged } from '@twinkey/contracts';
import { Allow, Asking, type Caller } from '@twinkey/service';
import { z } from 'zod';
import { receiverAcknowledges } from '../declared/receiver-acknowledges.js';
import { assertMayBe } from '../identity.js';
import { SHELL, type Shell } from '../shell.js';
import { parse } from './parse.js';

const Path = z.object({ consumer: ConsumerName });

/** For declared receivers, which no process registers. */
@Allow('consumer')
@Controller('v1/consumers')
export class ConsumersController {
  constructor(@Inject(SHELL) private readonly shell: Shell) {}

  @Post(':consumer/acknowledgements')
  @HttpCode(200)
  async acknowledge(
    @Param() path: unknown,
    @Body() body: unknown,
    @Asking() caller: Caller,
  ): Promise<ReceiverAcknowledged> {
    const { consumer } = parse(Path, path);
    const said = parse(ReceiverAcknowledgement, body);
    assertMayBe(caller, consumer);
    return receiverAcknowledges(this.shell, consumer, said);
  }
}
