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

export function readSystemProperty(message: Message, name: string): Value {
  const key = name.toLowerCase().replaceAll('-', '');
  const property = SYSTEM_PROPERTIES[key];
  if (property !== undefined) return message.property(property);
  switch (key) {
    case 'timetolive':
      return message.header.ttlMs ?? null;
    case 'partitionkey':
      return message.annotation('x-opt-partition-key');
    case 'scheduledenqueuetimeutc':
      return message.annotation('x-opt-scheduled-enqueue-time');
    default:
      return null;
  }
}

/** Throws `Refused` for a property that rules may not write. */
export function writtenSystemProperty(name: string): PropertyName {
  const property = SYSTEM_PROPERTIES[name.toLowerCase()];
  if (property === undefined || property === 'messageId')
    throw invalidArgument(`The property sys.${name} cannot be set by a rule`);
  return property;
}
