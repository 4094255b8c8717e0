import { durationText } from '../duration.js';
import type { AuthorizationRule, QueueSettings, TopicSettings } from '../state/entity.js';
import type { Queue } from '../state/queue.js';
import { CORRELATION_FIELDS, type CorrelationFilter } from '../state/rules/correlation.js';
import type { NumberTypes, Rule, RuleValue } from '../state/rules/rule.js';
import type { Topic } from '../state/topic.js';
import { escapeXml } from './xml.js';

const CONNECT = 'http://schemas.microsoft.com/netservices/2010/10/servicebus/connect';
const COUNTS = 'http://schemas.microsoft.com/netservices/2011/06/servicebus';
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';
const SCHEMA = 'http://www.w3.org/2001/XMLSchema';

type Content = readonly (readonly [name: string, value: string | number | boolean | undefined])[];

function elements(content: Content): string {
  return content
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`)
    .join('');
}

const root = (name: string, inner: string): string =>
  `<${name} xmlns="${CONNECT}" xmlns:i="${INSTANCE}">${inner}</${name}>`;

const time = (ms: number): string => new Date(ms).toISOString();

/** One prefix exactly: the SDK finds the counts through it. */
function counts(queue: Queue): string {
  // What waits in a queue that forwards is on its way, not to be received here.
  const isTransfer = queue.settings.forwardTo !== undefined;
  const entries = Object.entries({
    ActiveMessageCount: isTransfer ? 0 : queue.activeCount,
    DeadLetterMessageCount: queue.deadLetters?.messages.size ?? 0,
    ScheduledMessageCount: queue.scheduledCount,
    TransferMessageCount: isTransfer ? queue.activeCount : 0,
    TransferDeadLetterMessageCount: queue.transferDeadLetters?.messages.size ?? 0,
  });
  const inner = entries.map(([name, value]) => `<d2p1:${name}>${value}</d2p1:${name}>`).join('');
  return `<CountDetails xmlns:d2p1="${COUNTS}">${inner}</CountDetails>`;
}

/** The primary and the secondary key are given to whoever may manage the entity, as the service does. */
function authorizationRules(rules: readonly AuthorizationRule[] | undefined): string {
  if (rules === undefined) return '';
  const each = rules.map(
    ({ keyName, rights, primaryKey, secondaryKey, createdAt, modifiedAt }) =>
      `<AuthorizationRule i:type="SharedAccessAuthorizationRule">${elements([
        ['ClaimType', 'SharedAccessKey'],
        ['ClaimValue', 'None'],
      ])}<Rights>${elements(rights.map((right) => ['AccessRights', right] as const))}</Rights>${elements([
        ['CreatedTime', time(createdAt)],
        ['ModifiedTime', time(modifiedAt)],
        ['KeyName', keyName],
        ['PrimaryKey', primaryKey],
        ['SecondaryKey', secondaryKey],
      ])}</AuthorizationRule>`,
  );
  return `<AuthorizationRules>${each.join('')}</AuthorizationRules>`;
}

const size = (queue: Queue): number => Math.round(queue.bytes);

function settingsOf(s: QueueSettings, absolute: (path: string | undefined) => string | undefined): Content {
  return [
    ['LockDuration', durationText(s.lockDurationMs)],
    ['MaxSizeInMegabytes', s.maxSizeInMegabytes],
    ['RequiresDuplicateDetection', s.requiresDuplicateDetection],
    ['RequiresSession', s.requiresSession],
    ['DefaultMessageTimeToLive', durationText(s.defaultTtlMs)],
    ['DeadLetteringOnMessageExpiration', s.deadLetterOnExpiration],
    ['DuplicateDetectionHistoryTimeWindow', durationText(s.duplicateWindowMs)],
    ['MaxDeliveryCount', s.maxDeliveryCount],
    ['EnableBatchedOperations', s.enableBatchedOperations],
    ['Status', s.status],
    ['ForwardTo', absolute(s.forwardTo)],
    ['UserMetadata', s.userMetadata],
    ['ForwardDeadLetteredMessagesTo', absolute(s.forwardDeadLettersTo)],
  ];
}

const messageCount = (queue: Queue): number =>
  queue.withLetters.reduce((sum, { messages }) => sum + messages.size, 0);

export function describeQueue(queue: Queue, base: string): string {
  const s = queue.settings;
  const inner =
    elements(settingsOf(s, (path) => path && `${base}/${path}`)) +
    elements([
      ['SizeInBytes', size(queue)],
      ['MessageCount', messageCount(queue)],
      ['IsAnonymousAccessible', false],
    ]) +
    authorizationRules(s.authorizationRules) +
    elements([
      ['CreatedAt', time(queue.createdAt)],
      ['UpdatedAt', time(queue.updatedAt)],
      ['AccessedAt', time(queue.touchedAt)],
      ['SupportOrdering', true],
    ]) +
    counts(queue) +
    elements([
      ['AutoDeleteOnIdle', durationText(s.autoDeleteOnIdleMs)],
      ['EnablePartitioning', false],
      ['EntityAvailabilityStatus', 'Available'],
      ['EnableExpress', false],
      ['MaxMessageSizeInKilobytes', s.maxMessageSizeInKilobytes],
    ]);
  return root('QueueDescription', inner);
}

export function describeTopic(topic: Topic): string {
  const s: TopicSettings = topic.settings;
  const inner =
    elements([
      ['DefaultMessageTimeToLive', durationText(s.defaultTtlMs)],
      ['MaxSizeInMegabytes', s.maxSizeInMegabytes],
      ['RequiresDuplicateDetection', s.requiresDuplicateDetection],
      ['DuplicateDetectionHistoryTimeWindow', durationText(s.duplicateWindowMs)],
      ['EnableBatchedOperations', s.enableBatchedOperations],
      ['SizeInBytes', size(topic.store)],
    ]) +
    authorizationRules(s.authorizationRules) +
    elements([
      ['Status', s.status],
      ['UserMetadata', s.userMetadata],
      ['CreatedAt', time(topic.createdAt)],
      ['UpdatedAt', time(topic.store.updatedAt)],
      ['AccessedAt', time(topic.store.touchedAt)],
      ['SupportOrdering', s.supportOrdering],
    ]) +
    counts(topic.store) +
    elements([
      ['SubscriptionCount', topic.subscriptions.size],
      ['AutoDeleteOnIdle', durationText(s.autoDeleteOnIdleMs)],
      ['EnablePartitioning', false],
      ['EntityAvailabilityStatus', 'Available'],
      ['EnableExpress', false],
      ['MaxMessageSizeInKilobytes', s.maxMessageSizeInKilobytes],
    ]);
  return root('TopicDescription', inner);
}

export function describeSubscription(queue: Queue, base: string): string {
  const s = queue.settings;
  const queueOnly = new Set([
    'MaxSizeInMegabytes',
    'RequiresDuplicateDetection',
    'DuplicateDetectionHistoryTimeWindow',
  ]);
  const inner =
    elements(settingsOf(s, (path) => path && `${base}/${path}`).filter(([name]) => !queueOnly.has(name))) +
    elements([
      ['DeadLetteringOnFilterEvaluationExceptions', s.deadLetterOnFilterError],
      ['MessageCount', messageCount(queue)],
      ['CreatedAt', time(queue.createdAt)],
      ['UpdatedAt', time(queue.updatedAt)],
      ['AccessedAt', time(queue.touchedAt)],
    ]) +
    counts(queue) +
    elements([
      ['AutoDeleteOnIdle', durationText(s.autoDeleteOnIdleMs)],
      ['EntityAvailabilityStatus', 'Available'],
    ]);
  return root('SubscriptionDescription', inner);
}

export function describeRule({ name, filter, action, createdAt }: Rule): string {
  const sql = (
    tag: string,
    type: string,
    o: { expression: string; parameters?: Values | undefined; numberTypes?: NumberTypes | undefined },
  ): string =>
    `<${tag} i:type="${type}"><SqlExpression>${escapeXml(o.expression)}</SqlExpression><CompatibilityLevel>20</CompatibilityLevel>${keyValues('Parameters', o.parameters, o.numberTypes)}</${tag}>`;
  const inner =
    (filter.kind === 'sql'
      ? sql('Filter', sqlType(filter.expression), filter)
      : describeCorrelation(filter)) +
    (action === undefined ? '<Action i:type="EmptyRuleAction"/>' : sql('Action', 'SqlRuleAction', action)) +
    elements([
      ['CreatedAt', time(createdAt)],
      ['Name', name],
    ]);
  return root('RuleDescription', inner);
}

function sqlType(expression: string): string {
  const plain = expression.replaceAll(' ', '');
  return plain === '1=1' ? 'TrueFilter' : plain === '1=0' ? 'FalseFilter' : 'SqlFilter';
}

function describeCorrelation(filter: CorrelationFilter): string {
  const fields = CORRELATION_FIELDS.map(
    ([field]) => [field.charAt(0).toUpperCase() + field.slice(1), filter[field]] as const,
  );
  return `<Filter i:type="CorrelationFilter">${elements(fields)}${keyValues('Properties', filter.properties, filter.numberTypes)}</Filter>`;
}

type Values = Readonly<Record<string, RuleValue>>;

/** The prefix of the type has four characters: the SDK cuts it off by length. */
function keyValues(tag: string, values: Values | undefined, types: NumberTypes | undefined): string {
  const pairs = Object.entries(values ?? {}).map(([key, value]) => {
    const [type, text] = typed(value, types?.[key]);
    return `<KeyValueOfstringanyType><Key>${escapeXml(key)}</Key><Value i:type="d6p1:${type}" xmlns:d6p1="${SCHEMA}">${escapeXml(text)}</Value></KeyValueOfstringanyType>`;
  });
  return pairs.length === 0 ? '' : `<${tag}>${pairs.join('')}</${tag}>`;
}

function typed(value: RuleValue, type: NumberTypes[string] | undefined): [type: string, text: string] {
  if (value instanceof Date) return ['dateTime', value.toISOString()];
  if (typeof value === 'number')
    // Beyond 32 bits the JavaScript SDK reads nothing but doubles.
    return [
      type ?? (Number.isInteger(value) && Math.abs(value) < 0x8000_0000 ? 'int' : 'double'),
      String(value),
    ];
  return [typeof value, String(value)];
}

export function describeNamespace(name: string, createdAt: number): string {
  return root(
    'NamespaceInfo',
    elements([
      ['Alias', ''],
      ['CreatedTime', time(createdAt)],
      ['MessagingSKU', 'Standard'],
      ['ModifiedTime', time(createdAt)],
      ['Name', name],
      ['NamespaceType', 'Messaging'],
    ]),
  );
}
