import { normal, type Broker } from './broker.js';
import { durationMs } from '../duration.js';
import type { QueueSettings, TopicSettings } from './entity.js';
import { invalidArgument } from '../errors.js';
import type { CorrelationFilter } from './rules/correlation.js';
import { everything, type Rule, type RuleValue } from './rules/rule.js';

/** The `Config.json` of the official emulator. */
export interface Topology {
  readonly UserConfig: {
    readonly Namespaces: readonly {
      readonly Name?: string;
      readonly Queues?: readonly { readonly Name: string; readonly Properties?: QueueProperties }[];
      readonly Topics?: readonly TopologyTopic[];
    }[];
    readonly Logging?: { readonly Type?: string };
  };
}

interface TopologyTopic {
  readonly Name: string;
  readonly Properties?: {
    readonly DefaultMessageTimeToLive?: string;
    readonly DuplicateDetectionHistoryTimeWindow?: string;
    readonly RequiresDuplicateDetection?: boolean;
  };
  readonly Subscriptions?: readonly {
    readonly Name: string;
    readonly Properties?: QueueProperties;
    readonly Rules?: readonly TopologyRule[];
  }[];
}

interface QueueProperties {
  readonly DeadLetteringOnMessageExpiration?: boolean;
  readonly DefaultMessageTimeToLive?: string;
  readonly DuplicateDetectionHistoryTimeWindow?: string;
  readonly ForwardDeadLetteredMessagesTo?: string;
  readonly ForwardTo?: string;
  readonly LockDuration?: string;
  readonly MaxDeliveryCount?: number;
  readonly RequiresDuplicateDetection?: boolean;
  readonly RequiresSession?: boolean;
  readonly AutoDeleteOnIdle?: string;
}

interface TopologyRule {
  readonly Name: string;
  readonly Properties: {
    readonly FilterType: string;
    readonly CorrelationFilter?: {
      readonly ContentType?: string;
      readonly CorrelationId?: string;
      readonly Label?: string;
      readonly MessageId?: string;
      readonly ReplyTo?: string;
      readonly ReplyToSessionId?: string;
      readonly SessionId?: string;
      readonly To?: string;
      readonly Properties?: Readonly<Record<string, RuleValue>>;
    };
    readonly SqlFilter?: { readonly SqlExpression: string };
    readonly Action?: { readonly SqlExpression?: string };
  };
}

type Report = (message: string, more: object) => void;

/**
 * Creates what is missing; what exists stays as it is, and `report` hears where it differs from the topology.
 * Throws `Refused` when the topology makes no sense.
 */
export function applyTopology(
  broker: Broker,
  topology: Topology,
  now: number,
  report: Report = () => undefined,
): void {
  const namespaces = namespacesOf(topology);
  checkForwards(broker, namespaces);
  for (const namespace of namespaces) {
    for (const { Name, Properties } of namespace.Queues ?? []) {
      const settings = queueSettings(Properties ?? {});
      const existing = broker.find(Name);
      if (existing === undefined) broker.createQueue(Name, settings, now);
      else compare(Name, settings, existing.kind === 'queue' ? existing.queue.settings : {}, report);
    }
    for (const topic of namespace.Topics ?? []) applyTopic(broker, topic, now, report);
  }
}

type Namespace = Topology['UserConfig']['Namespaces'][number];

function namespacesOf(topology: unknown): readonly Namespace[] {
  const config = (topology as Partial<Topology> | null)?.UserConfig;
  if (typeof config !== 'object')
    throw invalidArgument(
      "The topology has no 'UserConfig'; it has the form of the official emulator's Config.json",
    );
  const namespaces: unknown = (config as Partial<Topology['UserConfig']> | null)?.Namespaces;
  if (!Array.isArray(namespaces))
    throw invalidArgument("'UserConfig.Namespaces' of the topology is missing or not a list");
  return namespaces as readonly Namespace[];
}

/** An entity may forward to one that the topology names later. */
function checkForwards(broker: Broker, namespaces: readonly Namespace[]): void {
  const queues = namespaces.flatMap(({ Queues }) => Queues ?? []);
  const topics = namespaces.flatMap(({ Topics }) => Topics ?? []);
  const named = new Set([...queues, ...topics].map(({ Name }) => normal(Name)));
  const check = (path: string, { ForwardTo, ForwardDeadLetteredMessagesTo }: QueueProperties): void => {
    for (const [property, target] of Object.entries({ ForwardTo, ForwardDeadLetteredMessagesTo })) {
      if (target === undefined || target === '' || named.has(normal(target))) continue;
      if (broker.find(target) === undefined)
        throw invalidArgument(`${property} of '${path}' names '${target}', and there is no such entity`);
    }
  };
  for (const { Name, Properties } of queues) check(Name, Properties ?? {});
  for (const topic of topics)
    for (const { Name, Properties } of topic.Subscriptions ?? [])
      check(`${topic.Name}/Subscriptions/${Name}`, Properties ?? {});
}

/** What lives in a data folder is not changed by a new topology: somebody may have changed it there on purpose. */
function compare(path: string, wanted: object, existing: object, report: Report): void {
  const differing = Object.entries(wanted)
    .filter(([name, value]) => (existing as Readonly<Record<string, unknown>>)[name] !== value)
    .map(([name]) => name);
  if (differing.length > 0)
    report('An entity exists with other settings than the topology gives it; it stays as it is', {
      entity: path,
      settings: differing,
    });
}

function applyTopic(broker: Broker, topic: TopologyTopic, now: number, report: Report): void {
  const existing = broker.find(topic.Name);
  const wanted = topicSettings(topic.Properties ?? {});
  if (existing === undefined) broker.createTopic(topic.Name, wanted, now);
  else compare(topic.Name, wanted, existing.kind === 'topic' ? existing.topic.settings : {}, report);
  for (const { Name, Properties, Rules } of topic.Subscriptions ?? []) {
    const path = `${topic.Name}/Subscriptions/${Name}`;
    const settings = queueSettings(Properties ?? {});
    const present = broker.subscription(path);
    if (present !== undefined) {
      compare(path, settings, present.queue.settings, report);
      continue;
    }
    const [first, ...others] = (Rules ?? []).map(ruleOf);
    const subscription = broker.createSubscription(topic.Name, Name, settings, first, now);
    for (const rule of others) subscription.addRule({ ...rule, createdAt: now });
    if (others.length > 0) broker.noteEntity(subscription.queue.path);
  }
}

function ms(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = durationMs(text);
  if (value === undefined)
    throw invalidArgument(`${name} '${text}' is not an ISO 8601 duration such as PT1M`);
  return value;
}

/** Leaves out what is undefined, so that defaults apply. */
function given<T extends object>(settings: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries) as Partial<T>;
}

function queueSettings(p: QueueProperties): Partial<QueueSettings> {
  return given<Partial<QueueSettings>>({
    lockDurationMs: ms('LockDuration', p.LockDuration),
    defaultTtlMs: ms('DefaultMessageTimeToLive', p.DefaultMessageTimeToLive),
    duplicateWindowMs: ms('DuplicateDetectionHistoryTimeWindow', p.DuplicateDetectionHistoryTimeWindow),
    autoDeleteOnIdleMs: ms('AutoDeleteOnIdle', p.AutoDeleteOnIdle),
    deadLetterOnExpiration: p.DeadLetteringOnMessageExpiration,
    maxDeliveryCount: p.MaxDeliveryCount,
    requiresDuplicateDetection: p.RequiresDuplicateDetection,
    requiresSession: p.RequiresSession,
    forwardTo: p.ForwardTo,
    forwardDeadLettersTo: p.ForwardDeadLetteredMessagesTo,
  });
}

function topicSettings(p: NonNullable<TopologyTopic['Properties']>): Partial<TopicSettings> {
  return given<Partial<TopicSettings>>({
    defaultTtlMs: ms('DefaultMessageTimeToLive', p.DefaultMessageTimeToLive),
    duplicateWindowMs: ms('DuplicateDetectionHistoryTimeWindow', p.DuplicateDetectionHistoryTimeWindow),
    requiresDuplicateDetection: p.RequiresDuplicateDetection,
  });
}

function ruleOf({ Name, Properties }: TopologyRule): Omit<Rule, 'createdAt'> {
  const expression = Properties.Action?.SqlExpression;
  const action = expression === undefined ? {} : { action: { expression } };
  const { CorrelationFilter: c, SqlFilter: sql } = Properties;
  if (sql !== undefined)
    return { name: Name, filter: { kind: 'sql', expression: sql.SqlExpression }, ...action };
  if (c === undefined) return { name: Name, filter: everything, ...action };
  const filter: CorrelationFilter = {
    kind: 'correlation',
    contentType: c.ContentType,
    correlationId: c.CorrelationId,
    label: c.Label,
    messageId: c.MessageId,
    replyTo: c.ReplyTo,
    replyToSessionId: c.ReplyToSessionId,
    sessionId: c.SessionId,
    to: c.To,
    properties: c.Properties,
  };
  return { name: Name, filter, ...action };
}
