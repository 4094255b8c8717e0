import {
  array64,
  binary,
  long,
  list,
  map,
  string,
  stringMap,
  timestamp,
  nothing,
  type Put,
  uuid,
  bytesOf,
} from '../amqp/put.js';
import { AmqpMap, textOf, Uuid, type Value } from '../amqp/reader.js';
import type { Broker, Entity } from '../state/broker.js';
import { invalidArgument, messageLockLost, notAllowed, notImplemented } from '../errors.js';
import { readMessage, writeMessage, type Message } from '../state/message.js';
import type { Queue } from '../state/queue.js';
import { stampsOf, type Modifications } from '../state/stamps.js';
import type { Stored } from '../state/stored.js';
import { addRule, enumerateRules, removeRule } from './management-rules.js';
import { modifications } from './receiving.js';
import type { Reply } from './replies.js';

export interface Request {
  readonly broker: Broker;
  readonly address: string;
  readonly entity: Entity;
  readonly body: AmqpMap;
  readonly now: number;
}

const OK: Reply = { status: 200, description: 'OK' };
const NO_CONTENT: Reply = { status: 204, description: 'No content' };

const operations: Readonly<Record<string, (request: Request) => Reply>> = {
  'renew-lock': renewLock,
  'peek-message': peekMessage,
  'schedule-message': scheduleMessage,
  'cancel-scheduled-message': cancelScheduled,
  'receive-by-sequence-number': receiveBySequenceNumber,
  'update-disposition': updateDisposition,
  'renew-session-lock': renewSessionLock,
  'get-session-state': getSessionState,
  'set-session-state': setSessionState,
  'get-message-sessions': getMessageSessions,
  'add-rule': addRule,
  'remove-rule': removeRule,
  'enumerate-rules': enumerateRules,
};

/** Carries out a request to `<entity>/$management`. Throws `Refused`. */
export function manage(message: Message, at: Omit<Request, 'body' | 'now'>, now: number): Reply {
  const name = message.applicationProperties.get('operation');
  const operation = operations[textOf(name).replace(/^com\.microsoft:/, '')];
  if (operation === undefined) throw notImplemented(textOf(name));
  const { body } = message;
  return operation({ ...at, now, body: body instanceof AmqpMap ? body : new AmqpMap(Buffer.alloc(0), 0) });
}

function queueOf({ entity }: Request): Queue {
  if (entity.kind === 'topic')
    throw notAllowed('Messages are received from a subscription, not from its topic');
  return entity.queue;
}

function storeOf({ entity }: Request): Queue {
  return entity.kind === 'queue' ? entity.queue : entity.topic.store;
}

function numbers(body: AmqpMap, name: string): number[] {
  const value = body.get(name);
  if (!Array.isArray(value)) throw invalidArgument(`'${name}' is not an array`);
  return (value as readonly Value[]).map(Number);
}

function text(body: AmqpMap, name: string): string | undefined {
  const value = body.get(name);
  return typeof value === 'string' ? value : undefined;
}

function number(body: AmqpMap, name: string, otherwise: number): number {
  const value = body.get(name);
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : otherwise;
}

/** The first three groups of a .NET GUID are stored with their bytes reversed. */
export function swapped(token: Buffer): Buffer {
  const bytes = Buffer.from(token);
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}

function lockKeys(body: AmqpMap): string[] {
  const value = body.get('lock-tokens');
  if (!Array.isArray(value)) throw invalidArgument("'lock-tokens' is not an array");
  return (value as readonly Value[]).map((token) => {
    if (!(token instanceof Uuid)) throw invalidArgument("'lock-tokens' holds something that is no uuid");
    return swapped(token.bytes).toString('latin1');
  });
}

function renewLock(request: Request): Reply {
  const queue = queueOf(request);
  const all = lockKeys(request.body).map((key) => queue.locked(key, request.now));
  const expirations = all.map((stored) => queue.renew(stored, request.now));
  return { ...OK, body: stringMap({ expirations: array64(0x83, expirations) }) };
}

function peekMessage(request: Request): Reply {
  const { body, now } = request;
  const found = storeOf(request).peek(
    number(body, 'from-sequence-number', 0),
    number(body, 'message-count', 1),
    now,
    text(body, 'session-id'),
  );
  if (found.length === 0) return NO_CONTENT;
  const messages = found.map((stored) => stringMap({ message: binary(encodeStored(stored)) }));
  return { ...OK, body: stringMap({ messages: list(messages) }) };
}

function encodeStored(stored: Stored): Buffer {
  return writeMessage(stored.message, stored.deliveryCount, stampsOf(stored, stored.lock?.until));
}

function scheduleMessage(request: Request): Reply {
  const { body, broker, entity, now } = request;
  const wanted = body.get('messages');
  if (!Array.isArray(wanted)) throw invalidArgument("'messages' is not a list");
  const messages = (wanted as readonly Value[]).map((each) => {
    const encoded = each instanceof AmqpMap ? each.get('message') : null;
    if (!Buffer.isBuffer(encoded)) throw invalidArgument("'messages' holds something without a message");
    return readMessage(encoded);
  });
  const sequences = messages.map((message) => broker.send(entity, message, now));
  return { ...OK, body: stringMap({ 'sequence-numbers': array64(0x81, sequences) }) };
}

function cancelScheduled(request: Request): Reply {
  for (const sequence of numbers(request.body, 'sequence-numbers'))
    storeOf(request).cancelScheduled(sequence);
  return OK;
}

function receiveBySequenceNumber(request: Request): Reply {
  const { body, now } = request;
  const queue = queueOf(request);
  const session = text(body, 'session-id');
  const slot = session === undefined ? undefined : queue.sessions.holding(session, now);
  const removes = number(body, 'receiver-settle-mode', 1) === 0;
  const taken = numbers(body, 'sequence-numbers').map((n) => queue.takeDeferred(n, now, removes, slot));
  const messages = taken.map((stored) =>
    stringMap({
      message: binary(encodeStored(stored)),
      ...(stored.lock && { 'lock-token': uuid(swapped(stored.lock.token)) }),
    }),
  );
  return { ...OK, body: stringMap({ messages: list(messages) }) };
}

function updateDisposition(request: Request): Reply {
  const { body, now } = request;
  const queue = queueOf(request);
  const status = text(body, 'disposition-status');
  const changes = modifications(body.get('properties-to-modify'));
  for (const key of lockKeys(body)) {
    const stored = queue.locked(key, now);
    const { lock } = stored;
    if (lock === undefined) throw messageLockLost();
    switch (status) {
      case 'completed':
        queue.complete(stored, lock, now);
        break;
      case 'abandoned':
        queue.abandon(stored, lock, now, changes);
        break;
      case 'defered':
        queue.defer(stored, lock, now, changes);
        break;
      case 'suspended':
        queue.deadLetter(stored, lock, now, withReason(body, changes));
        break;
      default:
        throw invalidArgument(`'${String(status)}' is not a disposition`);
    }
  }
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

function sessionId(body: AmqpMap): string {
  const id = text(body, 'session-id');
  if (id === undefined) throw invalidArgument("'session-id' is missing");
  return id;
}

function renewSessionLock(request: Request): Reply {
  const until = queueOf(request).sessions.renew(sessionId(request.body), request.now);
  return { ...OK, body: stringMap({ expiration: timestamp(until) }) };
}

function getSessionState(request: Request): Reply {
  const state = queueOf(request).sessions.state(sessionId(request.body));
  return { ...OK, body: stringMap({ 'session-state': state === null ? nothing : binary(state) }) };
}

function setSessionState(request: Request): Reply {
  const id = sessionId(request.body);
  const state = request.body.get('session-state');
  const { sessions } = queueOf(request);
  sessions.holding(id, request.now);
  sessions.setState(id, Buffer.isBuffer(state) ? Buffer.from(state) : null, request.now);
  return OK;
}

function getMessageSessions(request: Request): Reply {
  const { body } = request;
  const since = body.get('last-updated-time');
  const skip = number(body, 'skip', 0);
  const ids = queueOf(request)
    .sessions.list(since instanceof Date ? since.getTime() : 0)
    .slice(skip, skip + number(body, 'top', 100));
  if (ids.length === 0) return NO_CONTENT;
  const found: readonly [Put, Put][] = [
    [string('skip'), long(skip + ids.length)],
    [string('sessions-ids'), list(ids.map((id) => string(id)))],
  ];
  return { ...OK, body: map(found) };
}
