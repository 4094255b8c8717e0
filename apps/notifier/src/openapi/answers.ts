// What the notifier shows people, as schemas; this does not compile when something else is shown.
import { AccountId, ConsumerName, InstanceId, SwitchRefusal, Used } from '@twinkey/contracts';
import { z } from 'zod';
import type { ShownConsumer, ShownSwitch } from '../show.js';
import type { Asked } from '../webhooks/ask.js';
import type { ShownDelivery, ShownWebhook } from '../webhooks/show.js';

const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const Names = list(z.string());

const ShownInstance = z.object({
  instance: InstanceId,
  consumer: ConsumerName,
  standing: z.enum(['live', 'lapsed', 'gone']),
  missing: z.boolean().describe('Whether the switch waits for it.'),
  waived: z.boolean(),
  acknowledged: z.int(),
  drainedAt: z.string().exactOptional(),
  lastSeenAt: z.string(),
  used: Used.optional().describe('What it showed the account since its start.'),
  refusal: SwitchRefusal.optional().describe('Its application keeps an older key for now.'),
});

const ShownExpectation = z.object({
  consumer: ConsumerName,
  minimum: z.int(),
  tooFew: z.boolean().describe('Whether the switch waits for more instances of it than there are.'),
  deadlineAt: z.string().exactOptional(),
  onOverdue: z.enum(['hold', 'force']).exactOptional(),
  escalated: z.object({ to: z.string(), since: z.string() }).exactOptional(),
});

export const SwitchView = z.object({
  account: AccountId,
  state: z.enum(['nothing-published', 'waiting', 'overdue', 'acknowledged']),
  generation: z.int(),
  request: z.int().exactOptional(),
  slot: z.string().exactOptional().describe('`key1` or `key2`.'),
  publishedAt: z.string().exactOptional(),
  deadlineAt: z.string().exactOptional(),
  openFrom: z
    .string()
    .exactOptional()
    .describe('From then on nothing signed with an older key is in flight.'),
  instances: list(ShownInstance),
  declared: list(ShownExpectation).describe('The declared consumers of the account.'),
});

export const ConsumerView = z.object({
  consumer: ConsumerName,
  live: z.int(),
  lapsed: z.int(),
  accounts: Names,
  lastSeenAt: z.string().exactOptional(),
  used: Used.optional().describe('What its instances showed their accounts: whether it still needs keys.'),
  refusals: list(SwitchRefusal.extend({ account: z.string(), instance: InstanceId })).optional(),
  declared: z
    .object({
      by: z.enum(['file', 'api']),
      owner: z.string(),
      accounts: Names,
      minimumInstances: z.int(),
      channel: z.enum(['instances', 'subscription', 'webhook']),
      problems: Names.describe('What of the declaration cannot be kept.'),
    })
    .exactOptional()
    .describe('Absent: its instances have registered by themselves.'),
});

export const WebhookView = z.object({
  consumer: ConsumerName,
  url: z.string().describe('Without its query.'),
  signature: z.enum(['ed25519', 'hmac']),
  secret: z.string().describe('The name of the secret, never what it holds.'),
  publicKeys: Names.describe('What its receiver checks signatures with; only of ed25519.'),
  accounts: Names,
  state: z
    .enum(['ready', 'failing', 'resting', 'gone', 'unsigned'])
    .describe(
      '`gone`: it answered 410. `resting`: it asked to be left alone. `failing`: what was tried is still waiting.',
    ),
  problem: z.string().exactOptional().describe('Why it is not ready.'),
  since: z.string().exactOptional(),
  waiting: z.int(),
  deliveredAt: z.string().exactOptional(),
});

const ShownAttempt = z.object({
  attempt: z.int(),
  at: z.string(),
  endedAt: z.string().exactOptional(),
  outcome: z
    .enum(['acknowledged', 'delivered', 'retry', 'stop', 'lost'])
    .exactOptional()
    .describe('Absent: it is under way.'),
  why: z.string().exactOptional(),
  status: z.int().exactOptional(),
  detail: z.string().exactOptional(),
});

export const DeliveryView = z.object({
  delivery: z.int(),
  event: z.string().describe('The id of the message that was delivered.'),
  kind: z.enum(['key-changed', 'test']),
  account: z.string().exactOptional(),
  generation: z.int().exactOptional(),
  state: z.enum(['waiting', 'acknowledged', 'delivered', 'superseded', 'withdrawn', 'given-up']),
  createdAt: z.string(),
  deadlineAt: z.string(),
  nextAt: z.string().exactOptional(),
  settledAt: z.string().exactOptional(),
  askedBy: z.string().exactOptional().describe('Who asked for the test, or for sending it once more.'),
  attempts: z.int(),
  log: list(ShownAttempt).describe('The latest attempts.'),
});

export const AskedView = z.object({ delivery: z.int() });

export const ConsumerList = z.object({ consumers: list(ConsumerView) });
export const WebhookList = z.object({ webhooks: list(WebhookView) });
export const DeliveryList = z.object({ deliveries: list(DeliveryView) });

/** Whether a schema takes all that is shown, and has a word for each of its fields. */
type Describes<Schema extends z.ZodObject, Shown> =
  Shown extends z.input<Schema>
    ? Exclude<keyof Shown, keyof z.input<Schema>> extends never
      ? true
      : false
    : false;
type True<Fact extends true> = Fact;

export type AllDescribed = readonly [
  True<Describes<typeof SwitchView, ShownSwitch>>,
  True<Describes<typeof ConsumerView, ShownConsumer>>,
  True<Describes<typeof WebhookView, ShownWebhook>>,
  True<Describes<typeof DeliveryView, ShownDelivery>>,
  True<Describes<typeof AskedView, Asked>>,
];
