// What `twinkey.yaml` may hold. The rules that need more than one field are in `read-care-list.ts`.
import { AccountId, SecretReference } from '@twinkey/contracts';
import { z } from 'zod';

const PolicyEntry = z.strictObject({
  interval: z.string(),
  acknowledgeWithin: z.string().default('PT24H'),
  onOverdue: z.enum(['hold', 'force']).default('hold'),
  drain: z.string().default('PT30S'),
  withoutConsumers: z.enum(['wait', 'rotate']).default('wait'),
  firstRotation: z.enum(['now', 'after-interval']).default('now'),
  spread: z.string().default('PT0S'),
});

const SecretEntry = z.strictObject({
  vault: z.url({ protocol: /^https?$/, error: 'must be the URL of a vault' }).optional(),
  name: SecretReference.shape.name.optional(),
});

const AccountEntry = z.strictObject({
  id: AccountId.optional(),
  name: z.string().min(1).optional(),
  policy: z.string(),
  secret: SecretEntry.optional(),
});

const DiscoveryEntry = z.strictObject({
  subscriptions: z.array(z.guid('must be a subscription id, 32 hex digits with dashes')).min(1).optional(),
  tag: z.strictObject({ name: z.string().min(1), value: z.string().default('true') }).optional(),
  policy: z.string().optional(),
});

export const CareFile = z.strictObject({
  version: z.literal(1),
  policies: z.record(
    z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits and dashes'),
    PolicyEntry,
  ),
  // `accounts:` with nothing below it is null in YAML, and means nobody.
  accounts: z
    .array(AccountEntry)
    .nullish()
    .transform((entries) => entries ?? []),
  discovery: DiscoveryEntry.optional(),
});
export type CareFile = z.infer<typeof CareFile>;
