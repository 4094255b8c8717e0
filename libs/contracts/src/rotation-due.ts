import { z } from 'zod';
import { defineMessage } from './message.js';
import { AccountId, Moment, RotationId } from './vocabulary.js';

/** scheduler → rotator: this account's keys have served long enough. */
export const RotationDue = defineMessage({
  type: 'com.twinkey.rotation.due.v1',
  entity: 'rotation-due',
  data: z.object({
    rotationId: RotationId,
    account: AccountId,
    dueAt: Moment,
    reason: z.enum(['interval', 'first-rotation']),
  }),
});
export type RotationDue = z.infer<typeof RotationDue.data>;
