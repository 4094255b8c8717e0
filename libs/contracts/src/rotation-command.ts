import { z } from 'zod';
import { defineMessage } from './message.js';
import { AccountId, ConsumerName, RotationId } from './vocabulary.js';

const asked = { by: z.string().min(1), reason: z.string().max(500).optional() };

/** console → rotator: what a person asks for. Each is only an input of the plan, never an order to act. */
export const RotationCommand = defineMessage({
  type: 'com.twinkey.rotation.command.v1',
  entity: 'rotation-commands',
  data: z.discriminatedUnion('command', [
    z.object({ command: z.literal('rotate'), rotationId: RotationId, account: AccountId, ...asked }),
    z.object({ command: z.literal('replay'), rotationId: RotationId, account: AccountId, ...asked }),
    z.object({ command: z.literal('halt'), rotationId: RotationId, account: AccountId, ...asked }),
    z.object({
      command: z.literal('waive'),
      rotationId: RotationId,
      account: AccountId,
      consumer: ConsumerName,
      by: asked.by,
      reason: z.string().min(1).max(500),
    }),
  ]),
});
export type RotationCommand = z.infer<typeof RotationCommand.data>;
