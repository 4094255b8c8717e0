import { normal } from '../state/broker.js';
import { durationMs } from '../duration.js';
import {
  STANDARD_MESSAGE_KILOBYTES,
  type QueueSettings,
  type Status,
  type TopicSettings,
} from '../state/entity.js';
import { authorizationRules } from './authorization-rules.js';
import { invalidArgument } from '../errors.js';
import { CORRELATION_FIELDS } from '../state/rules/correlation.js';
import {
  DEFAULT_RULE_NAME,
  everything,
  type NumberTypes,
  type Rule,
  type RuleValue,
} from '../state/rules/rule.js';
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
    if (text === undefined || text === '') return undefined;
    if (text === 'Disabled' || text === 'SendDisabled' || text === 'ReceiveDisabled' || text === 'Active')
      return text;
    throw invalidArgument(
      `The value '${text}' of Status is none of Active, Disabled, SendDisabled, ReceiveDisabled`,
    );
  }

  kilobytes(): number | undefined {
    const value = this.number('MaxMessageSizeInKilobytes');
    if (value !== undefined && value > STANDARD_MESSAGE_KILOBYTES)
      throw invalidArgument(
        `MaxMessageSizeInKilobytes is at most ${STANDARD_MESSAGE_KILOBYTES} in the Standard tier`,
      );
    return value;
  }
}

/** Other tests need locks of a second or less, so only the upper limit of the real service is kept. */
const LONGEST_LOCK_MS = 300_000;

/** `now` dates the authorization rules. What an update does not name stays; text that is empty is none. */
export function queueSettings(element: XmlElement, now: number): Partial<QueueSettings> {
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
    userMetadata: metadata(from.text('UserMetadata')),
    maxSizeInMegabytes: from.number('MaxSizeInMegabytes'),
    maxMessageSizeInKilobytes: from.kilobytes(),
    authorizationRules: authorizationRules(element, now),
    enableBatchedOperations: from.bool('EnableBatchedOperations'),
  });
}

function address(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : normal(text);
}

const LONGEST_METADATA = 1024;

function metadata(text: string | undefined): string | undefined {
  if (text !== undefined && text.length > LONGEST_METADATA)
    throw invalidArgument(
      `UserMetadata has ${text.length} characters; it may have at most ${LONGEST_METADATA}`,
    );
  return text === '' ? undefined : text;
}

/** A PUT replaces these: what it leaves out or leaves empty is no more. */
export const clearedByUpdate = {
  forwardTo: undefined,
  forwardDeadLettersTo: undefined,
  userMetadata: undefined,
} as const;

/** Throws `Refused` when an update asks for what is settled when an entity is created. */
export function checkImmutable(element: XmlElement): void {
  if (new Source(element).bool('EnablePartitioning') === true)
    throw invalidArgument('EnablePartitioning cannot be changed');
}

export function topicSettings(element: XmlElement, now: number): Partial<TopicSettings> {
  const from = new Source(element);
  return given<TopicSettings>({
    defaultTtlMs: from.duration('DefaultMessageTimeToLive'),
    requiresDuplicateDetection: from.bool('RequiresDuplicateDetection'),
    duplicateWindowMs: from.duration('DuplicateDetectionHistoryTimeWindow'),
    autoDeleteOnIdleMs: from.duration('AutoDeleteOnIdle'),
    supportOrdering: from.bool('SupportOrdering'),
    status: from.status(),
    userMetadata: metadata(from.text('UserMetadata')),
    maxSizeInMegabytes: from.number('MaxSizeInMegabytes'),
    maxMessageSizeInKilobytes: from.kilobytes(),
    authorizationRules: authorizationRules(element, now),
    enableBatchedOperations: from.bool('EnableBatchedOperations'),
  });
}

export function ruleOf(element: XmlElement, name?: string): Omit<Rule, 'createdAt'> {
  const filter = child(element, 'Filter');
  const action = child(element, 'Action');
  const expression = child(action, 'SqlExpression')?.text;
  const { values: parameters, numberTypes } = keyValues(child(action, 'Parameters'));
  return {
    name: name ?? child(element, 'Name')?.text ?? DEFAULT_RULE_NAME,
    filter: filter === undefined ? everything : filterOf(filter),
    ...(expression !== undefined && {
      action: { expression, parameters, numberTypes },
    }),
  };
}

function filterOf(filter: XmlElement): Rule['filter'] {
  const type = filter.attributes['type'];
  if (type === 'TrueFilter') return everything;
  if (type === 'FalseFilter') return { kind: 'sql', expression: '1=0' };
  const expression = child(filter, 'SqlExpression')?.text;
  if (expression !== undefined) {
    const { values: parameters, numberTypes } = keyValues(child(filter, 'Parameters'));
    return { kind: 'sql', expression, parameters, numberTypes };
  }
  const { values: properties, numberTypes } = keyValues(child(filter, 'Properties'));
  const fields = CORRELATION_FIELDS.flatMap(([field]) => {
    const value = child(filter, field.charAt(0).toUpperCase() + field.slice(1))?.text;
    return value === undefined ? [] : [[field, value] as const];
  });
  return {
    kind: 'correlation',
    ...Object.fromEntries(fields),
    properties,
    numberTypes,
  };
}

interface KeyValues {
  readonly values: Record<string, RuleValue> | undefined;
  readonly numberTypes: NumberTypes | undefined;
}

function keyValues(element: XmlElement | undefined): KeyValues {
  if (element === undefined || element.children.length === 0)
    return { values: undefined, numberTypes: undefined };
  const values: Record<string, RuleValue> = {};
  const numberTypes: Record<string, NumberTypes[string]> = {};
  for (const pair of element.children) {
    const key = child(pair, 'Key')?.text ?? '';
    const value = child(pair, 'Value');
    const text = value?.text ?? '';
    const type = (value?.attributes['type'] ?? '').replace(/^.*:/, '');
    values[key] = typed(key, type, text);
    // Whole doubles are given back as they always were: the JavaScript SDK sends every number as a double.
    if (type === 'long') numberTypes[key] = type;
  }
  return { values, numberTypes: Object.keys(numberTypes).length === 0 ? undefined : numberTypes };
}

function typed(key: string, type: string, text: string): RuleValue {
  switch (type) {
    case 'int':
    case 'long':
    case 'double': {
      const value = Number(text);
      if (text.trim() === '' || Number.isNaN(value))
        throw invalidArgument(`The value of '${key}' is not a number`);
      return value;
    }
    case 'boolean':
      return text === 'true' || text === '1';
    case 'dateTime': {
      const value = new Date(text);
      if (Number.isNaN(value.getTime())) throw invalidArgument(`The value of '${key}' is not a date`);
      return value;
    }
    default:
      return text;
  }
}
