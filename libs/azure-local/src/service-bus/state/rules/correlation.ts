import { textOf, type Value } from '../../amqp/reader.js';
import type { Message, PropertyName } from '../message.js';
import type { NumberTypes, RuleValue } from './rule.js';

/** Every field that is set must be equal; those that are not set match anything. */
export interface CorrelationFilter {
  readonly kind: 'correlation';
  readonly correlationId?: string | undefined;
  readonly messageId?: string | undefined;
  readonly to?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly label?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly replyToSessionId?: string | undefined;
  readonly contentType?: string | undefined;
  readonly properties?: Readonly<Record<string, RuleValue>> | undefined;
  readonly numberTypes?: NumberTypes | undefined;
}

/** In the order of the wire format. */
export const CORRELATION_FIELDS = [
  ['correlationId', 'correlationId', 'correlation-id'],
  ['messageId', 'messageId', 'message-id'],
  ['to', 'to', 'to'],
  ['replyTo', 'replyTo', 'reply-to'],
  ['label', 'subject', 'label'],
  ['sessionId', 'groupId', 'session-id'],
  ['replyToSessionId', 'replyToGroupId', 'reply-to-session-id'],
  ['contentType', 'contentType', 'content-type'],
] as const satisfies readonly (readonly [keyof CorrelationFilter, PropertyName, string])[];

export function matchesCorrelation(filter: CorrelationFilter, message: Message): boolean {
  for (const [field, property] of CORRELATION_FIELDS) {
    const wanted = filter[field];
    if (wanted !== undefined && !sameText(wanted, message.property(property))) return false;
  }
  if (filter.properties === undefined) return true;
  const properties = message.applicationProperties;
  return Object.entries(filter.properties).every(([name, wanted]) =>
    equal(wanted, properties.get(name) ?? null),
  );
}

function sameText(wanted: string, found: Value): boolean {
  return found !== null && textOf(found) === wanted;
}

function equal(wanted: RuleValue, found: Value): boolean {
  if (wanted instanceof Date) return found instanceof Date && found.getTime() === wanted.getTime();
  if (typeof found === 'bigint') return typeof wanted === 'number' && BigInt(Math.trunc(wanted)) === found;
  return found === wanted;
}
