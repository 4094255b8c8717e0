import { Controller } from '@nestjs/common';
import { RotationDue, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { decideRequest } from '@twinkey/rotation';
import { Inputs } from './inputs.js';

@Controller()
export class OnRotationDue {
  constructor(private readonly inputs: Inputs) {}

  /**
   * A due time of an account that is being rotated already changes nothing: the scheduler learns of its end. If it
   * missed that, it is told again.
   */
  @OnMessage(RotationDue)
  async handle({ id, data }: Message<RotationDue>): Promise<void> {
    const { account, rotationId, reason } = data;
    await this.inputs.take({
      account,
      messageId: id,
      handler: 'rotation-due',
      decide: (ring, now) => decideRequest(ring, { rotationId, by: 'scheduler', reason }, now),
      onRefusal: ({ code, detail }, at) =>
        code === 'rotation-completed'
          ? { type: 'CommandRefused', at, command: 'rotate', rotationId, code, detail }
          : null,
    });
  }
}
