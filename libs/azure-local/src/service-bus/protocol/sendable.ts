import { entityDisabled, messageTooLarge, notAllowed } from '../errors.js';
import type { Broker, Entity } from '../state/broker.js';
import type { Message } from '../state/message.js';
import { isDisabled, storeOf } from './request.js';

/** Standard tier, and the official emulator. */
export const MAX_MESSAGE_BYTES = 262_144;

/** Throws `Refused` when the entity takes no messages, be they sent or scheduled. */
export function checkSendable(broker: Broker, entity: Entity, address: string): void {
  const isDeadLetterQueue = entity.kind === 'queue' && entity.queue.isDeadLetterQueue;
  if (isDeadLetterQueue || broker.subscription(address) !== undefined)
    throw notAllowed('Messages are sent to queues and topics, not to subscriptions or dead-letter queues');
  checkEnabled(entity, address);
}

export function checkEnabled(entity: Entity, address: string): void {
  if (isDisabled(storeOf({ entity }).settings.status, 'SendDisabled')) throw entityDisabled(address);
}

/** All or none: what one of them lacks is found before the first is stored. Throws `Refused`. */
export function checkMessages(entity: Entity, messages: readonly Message[]): void {
  for (const message of messages)
    if (message.size > MAX_MESSAGE_BYTES) throw messageTooLarge(MAX_MESSAGE_BYTES);
  if (entity.kind !== 'queue' || !entity.queue.needsSession) return;
  for (const message of messages)
    if (message.sessionId === undefined)
      throw notAllowed('The session id was not set on a message for an entity that requires sessions');
}
