import { Controller } from '@nestjs/common';
import { RotationCommand, type Message } from '@twinkey/contracts';
import { OnMessage } from '@twinkey/nest-service-bus';
import { decideCommand, decideRequest } from '@twinkey/rotation';
import { Inputs } from './inputs.js';

@Controller()
export class OnRotationCommand {
  constructor(private readonly inputs: Inputs) {}

  /** A command that changes nothing is answered by a `refused` rotation event: someone asked. */
  @OnMessage(RotationCommand)
  async handle({ id, data: command }: Message<RotationCommand>): Promise<void> {
    await this.inputs.take({
      account: command.account,
      messageId: id,
      handler: 'rotation-command',
      decide: (ring, now) =>
        command.command === 'rotate'
          ? decideRequest(
              ring,
              {
                rotationId: command.rotationId,
                by: command.by,
                reason: command.reason ?? 'asked for',
                scope: command.scope,
                slot: command.slot,
              },
              now,
            )
          : decideCommand(ring, command, now),
      onRefusal: ({ code, detail }, at) => ({
        type: 'CommandRefused',
        at,
        command: command.command,
        rotationId: command.rotationId,
        code,
        detail,
      }),
    });
  }
}
