// What the scheduler decides about an account and tells the others: where its secret lives and its policy.
import { z } from 'zod';
import { AccountId, SecretReference } from './vocabulary.js';

export const RotationPolicy = z.object({
  name: z.string().min(1),
  /** How long a key may serve before the next rotation is due. */
  intervalSeconds: z.int().positive(),
  /** How long a key switch may take before it is overdue. */
  acknowledgeWithinSeconds: z.int().positive(),
  /** Overdue: `hold` halts the rotation for a person, `force` goes on without the silent instances. */
  onOverdue: z.enum(['hold', 'force']),
  /** Time for which calls signed with the older key may still be in flight after an acknowledgement. */
  drainSeconds: z.number().min(0),
  /** An account with no consumer at all: `wait` for one, or `rotate` all the same. */
  withoutConsumers: z.enum(['wait', 'rotate']),
  /** How often an account at rest is looked at for changes made by hand. Absent: every minute. */
  lookEverySeconds: z.number().positive().optional(),
  /** What holds in place of the above while a leaked key is retired. Absent: 15 minutes, then `hold`. */
  emergency: z
    .object({ acknowledgeWithinSeconds: z.int().positive(), onOverdue: z.enum(['hold', 'force']) })
    .optional(),
});
export type RotationPolicy = z.infer<typeof RotationPolicy>;

export const AccountSettings = z.object({
  account: AccountId,
  kind: z.string().min(1),
  location: z.string().min(1),
  /** The account's data-plane endpoint, where a key is verified. */
  endpoint: z.url(),
  secret: SecretReference.omit({ version: true }),
  policy: RotationPolicy,
  /** Only declared consumers may register for it. Absent: anybody who may speak as the consumer. */
  onlyDeclaredConsumers: z.boolean().optional(),
});
export type AccountSettings = z.infer<typeof AccountSettings>;
