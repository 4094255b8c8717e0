import type { Broker } from './broker.js';
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

/** Creates what is missing; what exists stays as it is. */
export function applyTopology(broker: Broker, topology: Topology, now: number): void {
  for (const namespace of topology.UserConfig.Namespaces) {
    for (const { Name, Properties } of namespace.Queues ?? [])
      if (broker.find(Name) === undefined) broker.createQueue(Name, queueSettings(Properties ?? {}), now);
    for (const topic of namespace.Topics ?? []) applyTopic(broker, topic, now);
  }
}

function applyTopic(broker: Broker, topic: TopologyTopic, now: number): void {
  if (broker.find(topic.Name) === undefined)
    broker.createTopic(topic.Name, topicSettings(topic.Properties ?? {}), now);
  for (const { Name, Properties, Rules } of topic.Subscriptions ?? []) {
    if (broker.subscription(`${topic.Name}/Subscriptions/${Name}`) !== undefined) continue;
    const [first, ...others] = (Rules ?? []).map(ruleOf);
    const settings = queueSettings(Properties ?? {});
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
