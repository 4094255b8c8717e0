import { array64, binary, bytesOf, int, list, string, stringMap, uuid, type Put } from '../amqp/put.js';
import { AmqpMap } from '../amqp/reader.js';
import { invalidArgument, messageLockLost, messageNotFound, notAllowed } from '../errors.js';
import { writeMessage } from '../state/message-out.js';
import type { Message } from '../state/message.js';
import type { Queue } from '../state/queue.js';
import type { SessionSlot } from '../state/session-slot.js';
import { stampsOf, type Modifications } from '../state/stamps.js';
import type { Lock, Stored } from '../state/stored.js';
import { readIncoming, withoutBody } from './incoming.js';
import { modifications } from './modifications.js';
import { NO_CONTENT, OK, type Reply } from './replies.js';
import { listed, lockKeys, number, numbers, queueOf, storeOf, swapped, text } from './request.js';
import type { Request } from './request.js';
import { checkMessages, checkSendable, MAX_MESSAGE_BYTES } from './sendable.js';

const MOST_DELETED_AT_ONCE = 4000;

export function renewLock(request: Request): Reply {
  const queue = queueOf(request);
  const all = lockKeys(request.body).map((key) => queue.locked(key, request.now));
  if (all.some(({ lock }) => lock?.session !== undefined))
    throw notAllowed('The lock of a message in a session is renewed with the lock of its session');
  const expirations = all.map((stored) => queue.renew(stored, request.now));
  return { ...OK, body: stringMap({ expirations: array64(0x83, expirations) }) };
}

/** A peeked message is not locked for whoever peeks, so it goes without the end of a lock. */
export function peekMessage(request: Request): Reply {
  const { body, now } = request;
  const isBodyless = body.get('omit-message-body') === true;
  const found = storeOf(request).peek(
    number(body, 'from-sequence-number', 0),
    number(body, 'message-count', 1),
    now,
    text(body, 'session-id'),
  );
  const messages: Put[] = [];
  let size = 0;
  for (const stored of found) {
    const bytes = encode(isBodyless ? withoutBody(stored.message) : stored.message, stored);
    size += bytes.length;
    // As much as one message may have, but one at least; the client asks again from the next number.
    if (messages.length > 0 && size > MAX_MESSAGE_BYTES) break;
    messages.push(stringMap({ message: binary(bytes) }));
  }
  if (messages.length === 0) return NO_CONTENT;
  return { ...OK, body: stringMap({ messages: list(messages) }) };
}

function encode(message: Message, stored: Stored, lock?: Lock): Buffer {
  return writeMessage(message, stored.deliveryCount, stampsOf(stored, lock?.until));
}

export function scheduleMessage(request: Request): Reply {
  const { body, broker, entity, now, address } = request;
  checkSendable(broker, entity, address);
  const messages = listed(body, 'messages').map((each) => {
    const encoded = each instanceof AmqpMap ? each.get('message') : null;
    if (!Buffer.isBuffer(encoded)) throw invalidArgument("'messages' holds something without a message");
    return readIncoming(encoded);
  });
  checkMessages(entity, messages);
  const sequences = broker.sendAll(entity, messages, now);
  return { ...OK, body: stringMap({ 'sequence-numbers': array64(0x81, sequences) }) };
}

export function cancelScheduled(request: Request): Reply {
  const store = storeOf(request);
  const wanted = new Set(numbers(request.body, 'sequence-numbers'));
  for (const sequence of wanted)
    if (store.messages.get(sequence)?.state !== 'scheduled') throw messageNotFound();
  for (const sequence of wanted) store.cancelScheduled(sequence);
  return OK;
}

/** The session that a request is about; one is required where the entity requires them. */
function sessionOf(queue: Queue, body: AmqpMap, now: number): SessionSlot | undefined {
  const id = text(body, 'session-id');
  if (!queue.needsSession) return undefined;
  if (id === undefined)
    throw notAllowed("The entity requires sessions, so a 'session-id' must be given and be held");
  return queue.sessions.holding(id, now);
}

export function receiveBySequenceNumber(request: Request): Reply {
  const { body, now } = request;
  const queue = queueOf(request);
  const slot = sessionOf(queue, body, now);
  const removes = number(body, 'receiver-settle-mode', 1) === 0;
  const wanted = [...new Set(numbers(body, 'sequence-numbers'))];
  for (const sequence of wanted) checkDeferred(queue.messages.get(sequence), now, slot);
  const messages = wanted.map((sequence) => {
    const stored = queue.takeDeferred(sequence, now, removes, slot);
    const { lock } = stored;
    return stringMap({
      message: binary(encode(stored.message, stored, lock)),
      ...(lock && { 'lock-token': uuid(swapped(lock.token)) }),
    });
  });
  return { ...OK, body: stringMap({ messages: list(messages) }) };
}

function checkDeferred(stored: Stored | undefined, now: number, slot: SessionSlot | undefined): void {
  if (stored?.state !== 'deferred' || stored.lock !== undefined || stored.expiresAt <= now)
    throw messageNotFound();
  if (slot !== undefined && stored.message.sessionId !== slot.id) throw messageNotFound();
}

type Settle = (queue: Queue, stored: Stored, lock: Lock, request: Request, changes: Modifications) => void;

const dispositions: Readonly<Record<string, Settle>> = {
  completed: (queue, stored, lock, { now }) => {
    queue.complete(stored, lock, now);
  },
  abandoned: (queue, stored, lock, { now }, changes) => {
    queue.abandon(stored, lock, now, changes);
  },
  defered: (queue, stored, lock, { now }, changes) => {
    queue.defer(stored, lock, now, changes);
  },
  suspended: (queue, stored, lock, { now, body }, changes) => {
    queue.deadLetter(stored, lock, now, withReason(body, changes));
  },
};

export function updateDisposition(request: Request): Reply {
  const { body, now } = request;
  const queue = queueOf(request);
  const status = text(body, 'disposition-status') ?? '';
  const settle = Object.hasOwn(dispositions, status) ? dispositions[status] : undefined;
  if (settle === undefined)
    throw invalidArgument(`'${status}' is no disposition: one of ${Object.keys(dispositions).join(', ')}`);
  if (status === 'suspended' && queue.isDeadLetterQueue)
    throw notAllowed('A message of a dead-letter queue cannot be dead-lettered again');
  const changes = modifications(body.get('properties-to-modify'));
  const all = [...new Set(lockKeys(body))].map((key) => {
    const stored = queue.locked(key, now);
    const { lock } = stored;
    if (lock === undefined) throw messageLockLost();
    return { stored, lock };
  });
  for (const { stored, lock } of all) settle(queue, stored, lock, request, changes);
  return OK;
}

function withReason(body: AmqpMap, changes: Modifications): Modifications {
  const reason = text(body, 'deadletter-reason');
  const description = text(body, 'deadletter-description');
  const all = new Map(changes);
  if (reason !== undefined) all.set('DeadLetterReason', bytesOf(string(reason)));
  if (description !== undefined) all.set('DeadLetterErrorDescription', bytesOf(string(description)));
  return all;
}

/** Deletes messages that wait and that nobody has locked, the oldest first; how many these were. */
export function batchDelete(request: Request): Reply {
  const { body, now } = request;
  const queue = queueOf(request);
  const slot = sessionOf(queue, body, now);
  const count = number(body, 'message-count', 0);
  if (!(count >= 1 && count <= MOST_DELETED_AT_ONCE))
    throw invalidArgument(`'message-count' must be from 1 to ${MOST_DELETED_AT_ONCE}`);
  const asked = body.get('enqueued-time-utc');
  const before = asked instanceof Date ? asked.getTime() : now;
  const doomed: Stored[] = [];
  for (const stored of queue.messages.values()) {
    if (doomed.length >= count) break;
    const isWaiting = stored.state === 'active' && stored.lock === undefined && stored.expiresAt > now;
    const isOfSession = slot === undefined || stored.message.sessionId === slot.id;
    if (isWaiting && isOfSession && stored.enqueuedAt <= before) doomed.push(stored);
  }
  if (doomed.length === 0) return NO_CONTENT;
  for (const stored of doomed) queue.remove(stored);
  return { ...OK, body: stringMap({ 'message-count': int(doomed.length) }) };
}
