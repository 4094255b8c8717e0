// What `twinkey.yaml` may hold. The rules that need more than one field are in `read-care-list.ts`.
import { AccountId, SecretReference } from '@twinkey/contracts';
import { z } from 'zod';
import { ConsumerEntry } from './consumer-schema.js';

const duration = (what: string) =>
  z.string().describe(`${what} An ISO 8601 duration of fixed length: P30D, PT15M.`);

const EmergencyEntry = z.strictObject({
  acknowledgeWithin: duration('How long consumers have to leave a leaked key.').default('PT15M'),
  onOverdue: z
    .enum(['hold', 'force'])
    .default('hold')
    .describe('What happens to those who have not left it by then: wait for a person, or cut them off.'),
});

const PolicyEntry = z.strictObject({
  interval: duration(
    'How long keys serve before the next rotation is due, counted from the last completion.',
  ),
  acknowledgeWithin: duration('How long a key switch may take before it is overdue.').default('PT24H'),
  onOverdue: z
    .enum(['hold', 'force'])
    .default('hold')
    .describe('What an overdue key switch does: wait for a person, or go on without the silent instances.'),
  drain: duration(
    'How long calls signed with the older key may be in flight after an acknowledgement.',
  ).default('PT30S'),
  withoutConsumers: z
    .enum(['wait', 'rotate'])
    .default('wait')
    .describe('An account that no consumer uses: wait for one, or rotate it all the same.'),
  firstRotation: z
    .enum(['now', 'after-interval'])
    .default('now')
    .describe('The first rotation of an account: as soon as it is seen, or one interval later.'),
  spread: duration('The stretch of time over which the first rotations of many accounts are spread.').default(
    'PT0S',
  ),
  lookEvery: duration(
    'How often an account at rest is looked at for changes made by hand; it costs a read of the vault and a probe.',
  ).default('PT1M'),
  emergency: EmergencyEntry.prefault({}).describe('What holds instead while a leaked key is retired.'),
});

const SecretEntry = z.strictObject({
  vault: z
    .url({ protocol: /^https?$/, error: 'must be the URL of a vault' })
    .optional()
    .describe('The URL of the vault; TWINKEY_KEY_VAULT_URL unless given.'),
  name: SecretReference.shape.name.optional().describe("The secret's name; the account's unless given."),
});

const AccountEntry = z.strictObject({
  id: AccountId.optional().describe('The ARM id of the account.'),
  name: z.string().min(1).optional().describe('In place of id: the name under which discovery finds it.'),
  policy: z.string().describe('The name of one of the policies.'),
  secret: SecretEntry.optional().describe('The Key Vault secret from which consumers read the key.'),
});

const DiscoveryEntry = z.strictObject({
  subscriptions: z
    .array(z.guid('must be a subscription id, 32 hex digits with dashes'))
    .min(1)
    .optional()
    .describe('Where to look; AZURE_SUBSCRIPTION_ID unless given.'),
  tag: z
    .strictObject({ name: z.string().min(1), value: z.string().default('true') })
    .optional()
    .describe('Accounts with this tag are under care although accounts does not name them.'),
  policy: z.string().optional().describe('The policy of accounts that are found by their tag.'),
});

const Name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits and dashes');

export const CareFile = z.strictObject({
  version: z.literal(1),
  policies: z.record(Name, PolicyEntry),
  // `accounts:` with nothing below it is null in YAML, and means nobody.
  accounts: z
    .array(AccountEntry)
    .nullish()
    .transform((entries) => entries ?? []),
  discovery: DiscoveryEntry.optional(),
  consumers: z
    .record(Name, ConsumerEntry)
    .nullish()
    .transform((consumers) => consumers ?? {})
    .describe('Consumers that must be there, whom to ask about them, and how they hear of new keys.'),
  onlyDeclaredConsumers: z
    .boolean()
    .default(false)
    .describe('Instances of consumers that are not declared here may not register.'),
});
export type CareFile = z.infer<typeof CareFile>;

/** The same for editors, as JSON Schema. */
export function editorSchema(): object {
  const schema = z.toJSONSchema(CareFile, {
    io: 'input',
    // A pattern knows no "ignore case": as it stands it would mark ids in Azure's own spelling as wrong.
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema === AccountId.in) delete jsonSchema.pattern;
    },
  });
  return { title: 'twinkey.yaml', ...schema };
}
