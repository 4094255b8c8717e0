// What `consumers:` of `twinkey.yaml` may hold. The rules that need more than one field are in `read-consumers.ts`.
import { SecretName, SubscriptionName, WebhookUrl } from '@twinkey/contracts';
import { z } from 'zod';

const SubscriptionEntry = z.strictObject({
  name: SubscriptionName.describe(
    'The name of the durable subscription that is made on the topics of its accounts.',
  ),
});

const WebhookEntry = z.strictObject({
  url: WebhookUrl.describe('Where new keys are told: https, or http on this machine.'),
  signature: z.enum(['ed25519', 'hmac']).describe('How each call is signed.'),
  secret: SecretName.optional().describe('For hmac: the name of the Key Vault secret that both sides share.'),
});

const ChannelEntry = z
  .union([
    z.literal('instances'),
    z.strictObject({
      subscription: SubscriptionEntry.optional(),
      webhook: WebhookEntry.optional(),
    }),
  ])
  .default('instances')
  .describe(
    'How it hears of new keys: its instances register themselves, or it is one receiver with no instances.',
  );

/** One consumer of `consumers:`, below its name. */
export const ConsumerEntry = z.strictObject({
  owner: z
    .string()
    .trim()
    .min(1)
    .max(200, 'must not be longer than 200 characters')
    .describe('Whom to ask about it.'),
  accounts: z
    .array(z.string().min(1))
    .max(500, 'must not be more than 500 accounts')
    .nullish()
    .transform((accounts) => accounts ?? [])
    .describe(
      'The accounts that it uses, by name, resource-group/name or ARM id. Its instances may register for these only.',
    ),
  minimumInstances: z
    .int('must be a whole number')
    .min(0, 'must not be negative')
    .max(10_000, 'must not be more than 10000')
    .default(0)
    .describe('Fewer live instances than this hold a key switch.'),
  acknowledgeWithin: z
    .string()
    .optional()
    .describe(
      'How long it has to acknowledge a new key, and never longer than the policy of the account says. An ISO 8601 duration of fixed length: P30D, PT15M.',
    ),
  onOverdue: z
    .enum(['hold', 'force'])
    .optional()
    .describe(
      'What its silence does by then: wait for a person, or leave it out. As the policy says unless given.',
    ),
  escalate: z
    .strictObject({
      after: z
        .string()
        .describe('How long it may keep a switch waiting before that is told as escalated: PT30M.'),
      to: z
        .string()
        .trim()
        .min(1)
        .max(200, 'must not be longer than 200 characters')
        .describe('Who is to be told.'),
    })
    .optional()
    .describe('Who is to be told that it keeps a switch waiting.'),
  channel: ChannelEntry,
});
export type ConsumerEntry = z.infer<typeof ConsumerEntry>;
