import { Controller } from '@nestjs/common';
import { RotationDue, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { decideRequest } from '@twinkey/rotation';
import { Inputs } from './inputs.js';

@Controller()
export class OnRotationDue {
  constructor(private readonly inputs: Inputs) {}

  /** A due time of an account that is being rotated already changes nothing: the scheduler learns of its end. */
  @OnMessage(RotationDue)
  async handle({ id, data }: Message<RotationDue>): Promise<void> {
    const { account, rotationId, reason } = data;
    await this.inputs.take({
      account,
      messageId: id,
      handler: 'rotation-due',
      decide: (ring, now) => decideRequest(ring, { rotationId, by: 'scheduler', reason }, now),
    });
  }
}
