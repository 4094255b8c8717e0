import type { Value } from '../../amqp/reader.js';
import { invalidArgument } from '../../errors.js';
import type { Message, PropertyName } from '../message.js';

/** What SQL calls `sys.…`, by its lower-case name. */
const SYSTEM_PROPERTIES: Readonly<Record<string, PropertyName>> = {
  messageid: 'messageId',
  correlationid: 'correlationId',
  label: 'subject',
  subject: 'subject',
  to: 'to',
  replyto: 'replyTo',
  replytosessionid: 'replyToGroupId',
  sessionid: 'groupId',
  contenttype: 'contentType',
};

/** Known to the service, but without a value when a rule is asked: null. */
const WITHOUT_VALUE = new Set([
  'deadlettersource',
  'deliverycount',
  'enqueuedsequencenumber',
  'enqueuedtimeutc',
  'expiresatutc',
  'forcepersistence',
  'lockeduntilutc',
  'locktoken',
  'sequencenumber',
  'state',
  'viapartitionkey',
]);

const OTHERS = new Set(['timetolive', 'partitionkey', 'scheduledenqueuetimeutc', 'size']);

const keyOf = (name: string): string => name.toLowerCase().replaceAll('-', '');

/** Throws `Refused` for a name that no message has: a filter with a slip would match nothing, for ever. */
export function checkSystemProperty(name: string): void {
  const key = keyOf(name);
  if (!Object.hasOwn(SYSTEM_PROPERTIES, key) && !OTHERS.has(key) && !WITHOUT_VALUE.has(key))
    throw invalidArgument(
      `There is no system property sys.${name}; properties of the application are user.${name}`,
    );
}

export function readSystemProperty(message: Message, name: string): Value {
  const key = keyOf(name);
  const property = SYSTEM_PROPERTIES[key];
  if (property !== undefined) return message.property(property);
  switch (key) {
    case 'timetolive':
      return message.header.ttlMs ?? null;
    case 'partitionkey':
      return message.annotation('x-opt-partition-key');
    case 'scheduledenqueuetimeutc':
      return message.annotation('x-opt-scheduled-enqueue-time');
    case 'size':
      return message.size;
    default:
      return null;
  }
}

/** Throws `Refused` for a property that rules may not write. */
export function writtenSystemProperty(name: string): PropertyName {
  const property = SYSTEM_PROPERTIES[keyOf(name)];
  if (property === undefined || property === 'messageId')
    throw invalidArgument(`The property sys.${name} cannot be set by a rule`);
  return property;
}
