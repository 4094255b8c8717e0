// What somebody declares about a consumer before any instance of it registers: who answers for it, how many
// instances must be there, and how it hears of new keys.
import { z } from 'zod';
import { AccountId, ConsumerName, Generation, InstanceId, Moment } from './vocabulary.js';

/** The file or whoever used the API; what the file says about a consumer wins. */
export const DeclarationSource = z.enum(['file', 'api']);
export type DeclarationSource = z.infer<typeof DeclarationSource>;

/** An endpoint that is told of new keys. A user name or a password in it would travel in messages and logs. */
export const WebhookUrl = z
  .url()
  .max(500)
  .refine(isSafeEndpoint, 'must be https (or http on this machine) without a user name and a password');

function isSafeEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const here = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
  return username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && here));
}

/** A subscription's name in Service Bus. */
export const SubscriptionName = z
  .string()
  .regex(
    /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,48}[a-zA-Z0-9])?$/,
    'must be 1 to 50 letters, digits, dots, dashes and underscores',
  )
  .refine((name) => !InstanceId.safeParse(name).success, 'must not be the id of an instance');

/** The name of a secret in Key Vault, never what it holds. */
export const SecretName = z
  .string()
  .regex(/^[0-9a-zA-Z-]{1,127}$/, 'must be 1 to 127 letters, digits and dashes');

const Webhook = z
  .object({
    kind: z.literal('webhook'),
    url: WebhookUrl,
    signature: z.enum(['ed25519', 'hmac']),
    /** Under this name Key Vault has what both sides share. */
    secret: SecretName.optional(),
  })
  .refine(({ signature, secret }) => signature !== 'hmac' || secret !== undefined, {
    path: ['secret'],
    error: 'must be given with the signature hmac',
  });

/**
 * `instances`: its processes register themselves. The other two are receivers: the notifier keeps one standing
 * instance for the consumer, which acknowledges by an answer or a request of its own.
 */
export const ConsumerChannel = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('instances') }),
  z.object({ kind: z.literal('subscription'), name: SubscriptionName }),
  Webhook,
]);
export type ConsumerChannel = z.infer<typeof ConsumerChannel>;

export const ConsumerDeclaration = z.object({
  consumer: ConsumerName,
  /** Whom to ask about it, for people. */
  owner: z.string().min(1).max(200),
  /** The accounts whose keys it uses; its instances may register for these only. */
  accounts: z.array(AccountId).max(500),
  /** Fewer live instances than this hold a key switch. */
  minimumInstances: z.int().min(0).max(10_000),
  /** Counted from the question; never longer than the account's own deadline, which is what holds when it is absent. */
  acknowledgeWithinSeconds: z.int().positive().optional(),
  /** `force` leaves only this consumer's acknowledgement out at its deadline. Absent: as the account's policy says. */
  onOverdue: z.enum(['hold', 'force']).optional(),
  /** From then on its silence is told as escalated. */
  escalate: z.object({ afterSeconds: z.int().positive(), to: z.string().min(1).max(200) }).optional(),
  channel: ConsumerChannel,
});
export type ConsumerDeclaration = z.infer<typeof ConsumerDeclaration>;

/** Whether the notifier keeps a standing instance for a consumer with that channel. */
export function isReceiver({ kind }: ConsumerChannel): boolean {
  return kind !== 'instances';
}

/** POST /v1/consumers/{consumer}/acknowledgements: a declared receiver uses this generation. */
export const ReceiverAcknowledgement = z.object({
  /** The account's name or ARM id. */
  account: z.string().min(1).max(300),
  generation: Generation,
  /** When the last call or token of an older generation dies; absent: it already has. */
  drainedAt: Moment.optional(),
});
export type ReceiverAcknowledgement = z.infer<typeof ReceiverAcknowledgement>;

/** 200 */
export const ReceiverAcknowledged = z.object({
  account: AccountId,
  /** What the receiver is known to use now. */
  acknowledged: Generation,
  /** What is published; nothing else opens the gate. */
  published: Generation,
});
export type ReceiverAcknowledged = z.infer<typeof ReceiverAcknowledged>;
