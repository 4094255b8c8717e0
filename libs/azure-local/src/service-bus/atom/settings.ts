import { normal } from '../state/broker.js';
import { durationMs } from '../duration.js';
import type { QueueSettings, Status, TopicSettings } from '../state/entity.js';
import { invalidArgument } from '../errors.js';
import { CORRELATION_FIELDS } from '../state/rules/correlation.js';
import { DEFAULT_RULE_NAME, everything, type Rule, type RuleValue } from '../state/rules/rule.js';
import { child, type XmlElement } from './xml.js';

type Reading<T> = { readonly [K in keyof T]?: T[K] | undefined };

function given<T extends object>(settings: Reading<T>): Partial<T> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

class Source {
  constructor(private readonly element: XmlElement) {}

  text(name: string): string | undefined {
    return child(this.element, name)?.text;
  }

  duration(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined || text === '') return undefined;
    const ms = durationMs(text);
    if (ms === undefined || ms <= 0)
      throw invalidArgument(`The value '${text}' of ${name} is not a valid duration`);
    return ms;
  }

  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined || text === '') return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1)
      throw invalidArgument(`The value '${text}' of ${name} is not a whole number above zero`);
    return value;
  }

  bool(name: string): boolean | undefined {
    const text = this.text(name);
    return text === undefined || text === '' ? undefined : text.toLowerCase() === 'true';
  }

  status(): Status | undefined {
    const text = this.text('Status');
    return text === 'Disabled' || text === 'SendDisabled' || text === 'ReceiveDisabled' || text === 'Active'
      ? text
      : undefined;
  }
}

/** Other tests need locks of a second or less, so only the upper limit of the real service is kept. */
const LONGEST_LOCK_MS = 300_000;

export function queueSettings(element: XmlElement): Partial<QueueSettings> {
  const from = new Source(element);
  const lockDurationMs = from.duration('LockDuration');
  if (lockDurationMs !== undefined && lockDurationMs > LONGEST_LOCK_MS)
    throw invalidArgument('LockDuration is at most five minutes (PT5M)');
  return given<QueueSettings>({
    lockDurationMs,
    requiresSession: from.bool('RequiresSession'),
    defaultTtlMs: from.duration('DefaultMessageTimeToLive'),
    deadLetterOnExpiration: from.bool('DeadLetteringOnMessageExpiration'),
    deadLetterOnFilterError: from.bool('DeadLetteringOnFilterEvaluationExceptions'),
    maxDeliveryCount: from.number('MaxDeliveryCount'),
    requiresDuplicateDetection: from.bool('RequiresDuplicateDetection'),
    duplicateWindowMs: from.duration('DuplicateDetectionHistoryTimeWindow'),
    autoDeleteOnIdleMs: from.duration('AutoDeleteOnIdle'),
    forwardTo: address(from.text('ForwardTo')),
    forwardDeadLettersTo: address(from.text('ForwardDeadLetteredMessagesTo')),
    status: from.status(),
    userMetadata: from.text('UserMetadata'),
    maxSizeInMegabytes: from.number('MaxSizeInMegabytes'),
    enableBatchedOperations: from.bool('EnableBatchedOperations'),
  });
}

function address(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : normal(text);
}

export function topicSettings(element: XmlElement): Partial<TopicSettings> {
  const from = new Source(element);
  return given<TopicSettings>({
    defaultTtlMs: from.duration('DefaultMessageTimeToLive'),
    requiresDuplicateDetection: from.bool('RequiresDuplicateDetection'),
    duplicateWindowMs: from.duration('DuplicateDetectionHistoryTimeWindow'),
    autoDeleteOnIdleMs: from.duration('AutoDeleteOnIdle'),
    supportOrdering: from.bool('SupportOrdering'),
    status: from.status(),
    userMetadata: from.text('UserMetadata'),
    maxSizeInMegabytes: from.number('MaxSizeInMegabytes'),
    enableBatchedOperations: from.bool('EnableBatchedOperations'),
  });
}

export function ruleOf(element: XmlElement, name?: string): Omit<Rule, 'createdAt'> {
  const filter = child(element, 'Filter');
  const action = child(element, 'Action');
  const expression = child(action, 'SqlExpression')?.text;
  return {
    name: name ?? child(element, 'Name')?.text ?? DEFAULT_RULE_NAME,
    filter: filter === undefined ? everything : filterOf(filter),
    ...(expression !== undefined && {
      action: { expression, parameters: keyValues(child(action, 'Parameters')) },
    }),
  };
}

function filterOf(filter: XmlElement): Rule['filter'] {
  const type = filter.attributes['type'];
  if (type === 'TrueFilter') return everything;
  if (type === 'FalseFilter') return { kind: 'sql', expression: '1=0' };
  const expression = child(filter, 'SqlExpression')?.text;
  if (expression !== undefined)
    return { kind: 'sql', expression, parameters: keyValues(child(filter, 'Parameters')) };
  const fields = CORRELATION_FIELDS.flatMap(([field]) => {
    const value = child(filter, field.charAt(0).toUpperCase() + field.slice(1))?.text;
    return value === undefined ? [] : [[field, value] as const];
  });
  return {
    kind: 'correlation',
    ...Object.fromEntries(fields),
    properties: keyValues(child(filter, 'Properties')),
  };
}

function keyValues(element: XmlElement | undefined): Record<string, RuleValue> | undefined {
  if (element === undefined || element.children.length === 0) return undefined;
  return Object.fromEntries(
    element.children.map((pair) => {
      const value = child(pair, 'Value');
      return [child(pair, 'Key')?.text ?? '', typed(value?.attributes['type'] ?? '', value?.text ?? '')];
    }),
  );
}

function typed(type: string, text: string): RuleValue {
  switch (type.slice(type.indexOf(':') + 1)) {
    case 'int':
    case 'long':
    case 'double':
      return Number(text);
    case 'boolean':
      return text === 'true';
    case 'dateTime':
      return new Date(text);
    default:
      return text;
  }
}
