import { z } from 'zod';
import { defineMessage } from './message.js';
import { AccountId, ConsumerName, KeySlot, RotationId, RotationScope } from './vocabulary.js';

const asked = { by: z.string().min(1), reason: z.string().max(500).optional() };

/** console → rotator: what a person asks for. Each is only an input of the plan, never an order to act. */
export const RotationCommand = defineMessage({
  type: 'com.twinkey.rotation.command.v1',
  entity: 'rotation-commands',
  data: z.discriminatedUnion('command', [
    z
      .object({
        command: z.literal('rotate'),
        rotationId: RotationId,
        account: AccountId,
        /** Absent: the keys of both slots. */
        scope: RotationScope.optional(),
        /** The slot whose key has leaked; an emergency has one, nothing else does. */
        slot: KeySlot.optional(),
        ...asked,
      })
      .refine(({ scope, slot }) => (scope === 'emergency') === (slot !== undefined), {
        path: ['slot'],
        error: 'must be given for an emergency, and only then',
      }),
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
