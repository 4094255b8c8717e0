import { Controller } from '@nestjs/common';
import { SwitchOutcome, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { decideOutcome } from '@twinkey/rotation';
import { Inputs } from './inputs.js';

@Controller()
export class OnSwitchOutcome {
  constructor(private readonly inputs: Inputs) {}

  @OnMessage(SwitchOutcome)
  async handle({ id, data: outcome }: Message<SwitchOutcome>): Promise<void> {
    await this.inputs.take({
      account: outcome.account,
      messageId: id,
      handler: 'switch-outcome',
      decide: (ring, now) => decideOutcome(ring, outcome, now),
    });
  }
}
