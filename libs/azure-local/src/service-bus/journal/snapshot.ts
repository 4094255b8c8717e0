import { Writer } from '../amqp/writer.js';
import type { Broker } from '../state/broker.js';
import type { Message } from '../state/message.js';
import type { Stored } from '../state/stored.js';
import { writeChange, writeEntity, writeNamespace } from './records.js';

const nothing = (): undefined => undefined;
const CHUNK_BYTES = 1_048_576;

/**
 * The state of a broker as the shortest sequence of records that leads to it, in pieces of about a megabyte: a
 * large state never exists twice in memory.
 */
export function* snapshot(broker: Broker, chunkBytes = CHUNK_BYTES): Generator<Buffer> {
  const to = new Writer(65_536);
  const writing = write(to, broker);
  while (writing.next().done !== true) if (to.length >= chunkBytes) yield to.take();
  if (to.length > 0) yield to.take();
}

/** Pauses wherever the records may be cut. */
function* write(to: Writer, broker: Broker): Generator<void> {
  if (broker.createdAt !== undefined) writeNamespace(to, broker.createdAt);
  for (const path of broker.paths()) {
    const entity = broker.record(path);
    if (entity !== undefined) writeEntity(to, entity);
    yield;
  }
  const copies = new Map<Message, Stored[]>();
  const stores = broker.stores();
  for (const queue of stores) {
    // Dead letters count with their queue, and are used with it.
    if (!queue.isDeadLetterQueue) {
      writeChange(to, { kind: 'numbered', queue }, nothing);
      writeChange(to, { kind: 'touched', queue, at: queue.touchedAt }, nothing);
    }
    for (const [messageId, seen] of queue.remembered) {
      writeChange(to, { kind: 'seen', queue, messageId, ...seen }, nothing);
      yield;
    }
    for (const stored of queue.messages.values()) {
      if (isCopy(stored)) gather(copies, stored);
      else writeChange(to, { kind: 'enqueued', targets: [stored] }, nothing);
      yield;
    }
  }
  for (const all of copies.values()) {
    for (const targets of alike(all)) writeChange(to, { kind: 'enqueued', targets }, nothing);
    yield;
  }
  for (const queue of stores) {
    for (const [session, state] of queue.sessions.states) {
      writeChange(to, { kind: 'session-state', queue, session, state, at: 0 }, nothing);
      yield;
    }
    for (const [session, at] of queue.sessions.uses)
      writeChange(to, { kind: 'session-used', queue, session, at }, nothing);
    for (const stored of queue.lockedInOrder())
      if (stored.lock !== undefined) writeChange(to, { kind: 'locked', stored, lock: stored.lock }, nothing);
    yield;
  }
}

/** Copies of one publication share their bytes; they still do after a restart. */
function isCopy({ queue, message, charge }: Stored): boolean {
  return queue.role === 'subscription' && charge < message.size;
}

function gather(copies: Map<Message, Stored[]>, stored: Stored): void {
  const all = copies.get(stored.message);
  if (all === undefined) copies.set(stored.message, [stored]);
  else all.push(stored);
}

/** One record holds copies that differ in nothing but their place. */
function alike(all: readonly Stored[]): Iterable<readonly Stored[]> {
  const groups = new Map<string, Stored[]>();
  for (const stored of all) {
    const { enqueuedAt, firstSequence, dueAt, state, deliveryCount } = stored;
    const key = [enqueuedAt, firstSequence, dueAt, state, deliveryCount].join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [stored]);
    else group.push(stored);
  }
  return groups.values();
}
