// Every metric of twinkey: what it says, its labels, and who has it. The registries of the services are made from this
// list, and so is docs/reference/metrics.md; alert rules and dashboards may name nothing else.
import type { ServiceName } from '@twinkey/settings';

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** One sentence without its full stop. */
  readonly what: string;
  /** The values that a label can have, or in words what it holds. There are only as many as accounts, routes or types. */
  readonly labels: Readonly<Record<string, readonly string[] | string>>;
  readonly of: readonly ServiceName[];
  /** Upper bounds in seconds. */
  readonly buckets?: readonly number[];
}

const metric = <const Definition extends MetricDefinition>(definition: Definition): Definition => definition;

const everyService = ['scheduler', 'rotator', 'notifier', 'console'] as const;
const account =
  "the account's name; resource-group/name where accounts share one, as the command line takes it" as const;

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Calls and requests: from what the embedded Azure takes to what nobody waits for any more. */
const QUICK = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Steps wait for consumers, and may do so for days. */
const SLOW = [1, 5, 15, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY, 3 * DAY, 7 * DAY];

const azureCall = {
  azure: ['resource-manager', 'key-vault', 'data-plane'],
  operation: 'the operation, in our words',
  outcome: 'done, refused, throttled, failed (it may be tried again), in-doubt or not-sent',
} as const;

export const METRICS = {
  twinkey_outbox_waiting_messages: metric({
    type: 'gauge',
    what: 'Messages that are committed and due and have not been sent yet',
    labels: {},
    of: everyService,
  }),
  twinkey_outbox_oldest_seconds: metric({
    type: 'gauge',
    what: 'For how long the oldest of the messages in the outbox should have been sent',
    labels: {},
    of: everyService,
  }),
  twinkey_messages_handled_total: metric({
    type: 'counter',
    what: 'Messages received, by how they were settled; dead-letter is the one that a person must look at',
    labels: {
      type: 'the type of the message; other when nobody handles it',
      outcome: ['complete', 'redeliver', 'release', 'dead-letter'],
    },
    of: everyService,
  }),
  twinkey_message_handling_seconds: metric({
    type: 'histogram',
    what: 'How long a handler took for a message',
    labels: { type: 'the type of the message; other when nobody handles it' },
    of: everyService,
    buckets: QUICK,
  }),
  twinkey_http_request_seconds: metric({
    type: 'histogram',
    what: 'How long requests took, health excepted',
    labels: {
      method: 'the method',
      route: 'the route as it is declared; none when there is no such route',
      status: 'the status of the answer',
    },
    of: everyService,
    buckets: QUICK,
  }),
  twinkey_scrape_failures_total: metric({
    type: 'counter',
    what: 'Scrapes that could not read some of the facts below from the database in time; their metrics are left out then',
    labels: { reading: 'what was to be read' },
    of: everyService,
  }),

  twinkey_next_due_timestamp_seconds: metric({
    type: 'gauge',
    what: 'When the next rotation of the account is due',
    labels: { account },
    of: ['scheduler'],
  }),
  twinkey_policy_interval_seconds: metric({
    type: 'gauge',
    what: "How often the account's policy wants its keys replaced",
    labels: { account },
    of: ['scheduler'],
  }),
  twinkey_accounts: metric({
    type: 'gauge',
    what: 'Accounts under care, by what Azure says of them',
    labels: { presence: ['here', 'keys-disabled', 'gone', 'unread'] },
    of: ['scheduler'],
  }),
  twinkey_rotations_due_total: metric({
    type: 'counter',
    what: 'Times that the rotator was asked for a rotation that is due, repetitions included',
    labels: {},
    of: ['scheduler'],
  }),

  twinkey_key_age_seconds: metric({
    type: 'gauge',
    what: 'Time since twinkey last had the key of the slot made; left out for a key that was there before',
    labels: { account, slot: ['key1', 'key2'] },
    of: ['rotator'],
  }),
  twinkey_published_age_seconds: metric({
    type: 'gauge',
    what: 'Time since the key that consumers use was published',
    labels: { account },
    of: ['rotator'],
  }),
  twinkey_rotation_age_seconds: metric({
    type: 'gauge',
    what: 'Time since the open rotation of the account was asked for; left out while none is open',
    labels: { account, state: ['running', 'waiting', 'halted'] },
    of: ['rotator'],
  }),
  twinkey_step_age_seconds: metric({
    type: 'gauge',
    what: 'Time since the step began at which the open rotation of the account is',
    labels: { account },
    of: ['rotator'],
  }),
  twinkey_drift_accounts: metric({
    type: 'gauge',
    what: '1 while a change by hand was found at the account and is not healed; left out otherwise',
    labels: { account },
    of: ['rotator'],
  }),
  twinkey_rotations_total: metric({
    type: 'counter',
    what: 'Rotations, by what became of them; one that halts and is replayed counts for each',
    labels: { outcome: ['requested', 'completed', 'halted', 'replayed', 'refused'] },
    of: ['rotator'],
  }),
  twinkey_keys_replaced_total: metric({
    type: 'counter',
    what: 'Keys that completed rotations replaced',
    labels: {},
    of: ['rotator'],
  }),
  twinkey_rotation_seconds: metric({
    type: 'histogram',
    what: 'How long completed rotations took, from the request on',
    labels: {},
    of: ['rotator'],
    buckets: SLOW,
  }),
  twinkey_step_seconds: metric({
    type: 'histogram',
    what: 'How long the steps of rotations took',
    labels: { step: ['switch-to-key1', 'switch-to-key2', 'regenerate-key1', 'regenerate-key2'] },
    of: ['rotator'],
    buckets: SLOW,
  }),
  twinkey_gates_forced_total: metric({
    type: 'counter',
    what: 'Regenerations that went on without all acknowledgements, because the policy says so after the deadline',
    labels: {},
    of: ['rotator'],
  }),
  twinkey_drift_found_total: metric({
    type: 'counter',
    what: 'Changes by hand that were found',
    labels: { kind: ['vault-changed', 'key-regenerated', 'acknowledgement-ahead', 'spare-regenerated'] },
    of: ['rotator'],
  }),
  twinkey_azure_calls_total: metric({
    type: 'counter',
    what: 'Calls to Azure, by how they ended',
    labels: azureCall,
    of: ['rotator', 'scheduler'],
  }),
  twinkey_azure_call_seconds: metric({
    type: 'histogram',
    what: 'How long calls to Azure took, waiting for a write token of our own included',
    labels: { azure: azureCall.azure, operation: azureCall.operation },
    of: ['rotator', 'scheduler'],
    buckets: QUICK,
  }),

  twinkey_instances: metric({
    type: 'gauge',
    what: 'Instances of consumers that report: those whose lease holds, and those that were not heard of for longer',
    labels: { state: ['live', 'lapsed'] },
    of: ['notifier'],
  }),
  twinkey_pending_acknowledgements: metric({
    type: 'gauge',
    what: 'Instances that have not acknowledged the published generation of the account',
    labels: { account },
    of: ['notifier'],
  }),
  twinkey_switch_deadline_timestamp_seconds: metric({
    type: 'gauge',
    what: 'When the key switch of the account is or was overdue; left out once everybody has acknowledged',
    labels: { account },
    of: ['notifier'],
  }),
  twinkey_switches_total: metric({
    type: 'counter',
    what: 'Key switches, by what the rotator was told of them',
    labels: { outcome: ['requested', 'acknowledged', 'overdue'] },
    of: ['notifier'],
  }),
  twinkey_heartbeats_total: metric({
    type: 'counter',
    what: 'Heartbeats of instances that were received',
    labels: {},
    of: ['notifier'],
  }),
  twinkey_webhook_attempts_total: metric({
    type: 'counter',
    what: 'Attempts to deliver a webhook: stop is an endpoint that wants no more',
    labels: { outcome: ['acknowledged', 'delivered', 'retry', 'stop'] },
    of: ['notifier'],
  }),
  twinkey_webhook_attempt_seconds: metric({
    type: 'histogram',
    what: 'How long attempts to deliver a webhook took, from the look-up of the name to the end of the answer',
    labels: {},
    of: ['notifier'],
    buckets: QUICK,
  }),

  twinkey_rotations_open: metric({
    type: 'gauge',
    what: 'Open rotations, by state, as the console has heard',
    labels: { state: ['running', 'waiting', 'halted'] },
    of: ['console'],
  }),
  twinkey_service_last_seen_timestamp_seconds: metric({
    type: 'gauge',
    what: 'When the console last heard over the bus that the service does its rounds',
    labels: { peer: ['scheduler', 'rotator', 'notifier'] },
    of: ['console'],
  }),
} as const;

export type MetricName = keyof typeof METRICS;

type OfType<Type> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type CounterName = OfType<'counter'>;
export type GaugeName = OfType<'gauge'>;
export type HistogramName = OfType<'histogram'>;

/** The labels of a metric: one of the listed values, or any text where words describe them. */
export type LabelsOf<Name extends MetricName> = {
  readonly [
    Label in keyof (typeof METRICS)[Name]['labels']
  ]: (typeof METRICS)[Name]['labels'][Label] extends readonly (infer Value)[] ? Value : string;
};

export interface MetricDescription extends MetricDefinition {
  readonly name: string;
}

/** The whole catalogue for documentation, in reading order. */
export function describeMetrics(): readonly MetricDescription[] {
  return Object.entries<MetricDefinition>(METRICS).map(([name, definition]) => ({ name, ...definition }));
}
