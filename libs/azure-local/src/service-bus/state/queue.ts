import { string } from '../amqp/put.js';
import { DueHeap } from './due.js';
import type { QueueSettings } from './entity.js';
import { messageLockLost, messageNotFound, notAllowed, sessionLockLost } from '../errors.js';
import type { Message } from './message.js';
import { deadLetterProperties, type Modifications } from './stamps.js';
import { QueueSessions } from './queue-sessions.js';
import type { SessionSlot } from './session-slot.js';
import type { Change, Lock, Stored } from './stored.js';

export interface QueueHost {
  note(change: Change): void;
  /** A receiver that waits for this queue may find something. */
  available(queue: Queue): void;
  /** Something happens here at `at` if nobody acts before. */
  dueAt(at: number): void;
  newToken(): Buffer;
  forward(address: string, message: Message, from: Stored, now: number): boolean;
  forwardNew(address: string, message: Message, now: number, firstSequence?: number): boolean;
}

export interface PutOptions {
  readonly now: number;
  readonly dueAt?: number;
  readonly firstSequence?: number;
  readonly deliveryCount?: number;
  readonly sequence?: number;
}

const NONE: Modifications = new Map();

/**
 * A store of messages: a queue, a subscription, the dead letters of either, or what a topic has scheduled. Pure:
 * time is an argument, the outside world is the host.
 *
 * Locks of one queue all last equally long, so the map of locks is in the order of their ends: setting, settling
 * and finding the first to expire cost the same with one lock and with a million.
 */
export class Queue {
  readonly messages = new Map<number, Stored>();
  readonly sessions: QueueSessions;
  private readonly ready = new DueHeap<Stored>();
  private readonly locks = new Map<string, Stored>();
  private readonly expirations = new DueHeap<Stored>();
  private readonly scheduled = new DueHeap<Stored>();
  private readonly seen = new Map<string, number>();
  deferredCount = 0;
  lastSequence = 0;
  touchedAt: number;
  /** Links that receive from here; an entity with one is not idle. */
  receivers = 0;
  /** Where dead letters go; a dead-letter queue has none. */
  deadLetters: Queue | undefined;
  /** A topic publishes what becomes due instead of storing it. */
  onDue: ((stored: Stored, now: number) => void) | undefined;

  constructor(
    readonly id: number,
    readonly path: string,
    public settings: QueueSettings,
    readonly host: QueueHost,
    readonly createdAt: number,
  ) {
    this.touchedAt = createdAt;
    this.sessions = new QueueSessions(this);
  }

  get isDeadLetterQueue(): boolean {
    return this.deadLetters === undefined;
  }

  get scheduledCount(): number {
    return this.scheduled.size;
  }

  get activeCount(): number {
    return this.messages.size - this.scheduled.size - this.deferredCount;
  }

  /** False when the id was seen within the window. Also remembers it. */
  isNew(messageId: string | undefined, now: number): boolean {
    if (!this.settings.requiresDuplicateDetection || messageId === undefined) return true;
    this.forgetSeen(now);
    if (this.seen.has(messageId)) return false;
    const until = now + this.settings.duplicateWindowMs;
    this.remember(messageId, until);
    this.host.note({ kind: 'seen', queue: this, messageId, until });
    return true;
  }

  remember(messageId: string, until: number): void {
    this.seen.set(messageId, until);
  }

  get remembered(): ReadonlyMap<string, number> {
    return this.seen;
  }

  private forgetSeen(now: number): void {
    for (const [id, until] of this.seen) {
      if (until > now) return;
      this.seen.delete(id);
    }
  }

  /** Stores without telling the journal, so that a topic can tell it once for all its copies. */
  place(message: Message, o: PutOptions): Stored {
    const sequence = o.sequence ?? this.lastSequence + 1;
    this.lastSequence = Math.max(this.lastSequence, sequence);
    const isScheduled = o.dueAt !== undefined && o.dueAt > o.now;
    const ttlMs = Math.min(message.header.ttlMs ?? Infinity, this.settings.defaultTtlMs);
    const stored: Stored = {
      queue: this,
      sequence,
      firstSequence: o.firstSequence ?? sequence,
      enqueuedAt: o.now,
      // Dead letters stay until somebody takes them out.
      expiresAt: isScheduled || this.isDeadLetterQueue ? Infinity : o.now + ttlMs,
      dueAt: isScheduled ? (o.dueAt ?? 0) : 0,
      message,
      state: isScheduled ? 'scheduled' : 'active',
      deliveryCount: o.deliveryCount ?? 0,
      lock: undefined,
      place: undefined,
      expiry: undefined,
    };
    this.add(stored);
    return stored;
  }

  put(message: Message, o: PutOptions): Stored {
    const stored = this.place(message, o);
    this.host.note({ kind: 'enqueued', targets: [stored] });
    return stored;
  }

  /** Takes a message in as it is: fresh, or as the journal tells it. */
  add(stored: Stored): void {
    this.messages.set(stored.sequence, stored);
    this.lastSequence = Math.max(this.lastSequence, stored.sequence);
    this.sessions.counted(stored, 1);
    if (stored.state === 'scheduled') {
      stored.place = this.scheduled.add(stored.dueAt, stored);
      this.host.dueAt(stored.dueAt);
      return;
    }
    // Short of the longest time span there is; those that never expire are not in the heap.
    if (stored.expiresAt < Number.MAX_SAFE_INTEGER / 16) {
      stored.expiry = this.expirations.add(stored.expiresAt, stored);
      this.host.dueAt(stored.expiresAt);
    }
    if (stored.state === 'deferred') this.deferredCount++;
    else this.makeReady(stored);
  }

  private makeReady(stored: Stored): void {
    const slot = this.sessions.of(stored);
    // By sequence number: a message that comes back returns to its place.
    stored.place = (slot?.ready ?? this.ready).add(stored.sequence, stored);
    if (slot !== undefined) this.sessions.changed(slot);
    this.host.available(this);
  }

  private unplace(stored: Stored): void {
    if (stored.place === undefined) return;
    if (stored.state === 'scheduled') this.scheduled.remove(stored.place);
    else {
      const slot = this.sessions.of(stored);
      (slot?.ready ?? this.ready).remove(stored.place);
      if (slot !== undefined) this.sessions.changed(slot);
    }
    stored.place = undefined;
  }

  /** Without telling the journal. */
  drop(stored: Stored): void {
    this.unplace(stored);
    this.unlock(stored);
    if (stored.expiry !== undefined) this.expirations.remove(stored.expiry);
    if (stored.state === 'deferred') this.deferredCount--;
    this.messages.delete(stored.sequence);
    this.sessions.counted(stored, -1);
  }

  remove(stored: Stored): void {
    this.drop(stored);
    this.host.note({ kind: 'removed', stored });
  }

  get hasReady(): boolean {
    return this.ready.size > 0;
  }

  /** The next message for a receiver, locked, or gone already if `remove`. */
  take(now: number, remove: boolean, slot?: SessionSlot): Stored | undefined {
    const from = slot?.ready ?? this.ready;
    for (let stored = from.take(Infinity); stored !== undefined; stored = from.take(Infinity)) {
      stored.place = undefined;
      if (slot !== undefined) this.sessions.changed(slot);
      if (stored.expiresAt <= now) {
        this.expire(stored, now);
        continue;
      }
      if (remove) this.remove(stored);
      else this.lock(stored, now, slot);
      return stored;
    }
    return undefined;
  }

  lock(stored: Stored, now: number, slot: SessionSlot | undefined): Lock {
    const token = this.host.newToken();
    const until = slot?.lockedUntil ?? now + this.settings.lockDurationMs;
    const lock: Lock = { token, key: token.toString('latin1'), until, session: slot };
    this.restoreLock(stored, lock);
    if (slot === undefined) this.host.note({ kind: 'locked', stored, lock });
    return lock;
  }

  restoreLock(stored: Stored, lock: Lock): void {
    this.unplace(stored);
    stored.lock = lock;
    if (lock.session !== undefined) {
      this.sessions.hold(lock.session, stored);
      return;
    }
    this.locks.set(lock.key, stored);
    this.host.dueAt(lock.until);
  }

  private unlock(stored: Stored): void {
    if (stored.lock === undefined) return;
    if (stored.lock.session === undefined) this.locks.delete(stored.lock.key);
    else this.sessions.letGo(stored.lock.session, stored);
    stored.lock = undefined;
  }

  /** The message behind a lock token, if the lock still holds. */
  locked(key: string, now: number): Stored {
    const stored = this.locks.get(key) ?? this.sessions.heldByToken(key);
    if (stored?.lock === undefined) throw messageLockLost();
    this.check(stored, stored.lock, now);
    return stored;
  }

  private check(stored: Stored, lock: Lock, now: number): void {
    if (lock.session !== undefined) {
      if (stored.lock !== lock || lock.session.holder === undefined || lock.session.lockedUntil <= now)
        throw sessionLockLost();
    } else if (stored.lock !== lock || lock.until <= now) throw messageLockLost();
  }

  lockedInOrder(): IterableIterator<Stored> {
    return this.locks.values();
  }

  /** As the journal tells it: granted, or renewed. */
  relock(stored: Stored, lock: Lock): void {
    this.unlock(stored);
    this.restoreLock(stored, lock);
  }

  /** As the journal tells it: given back, or deferred. */
  restoreChanged(
    stored: Stored,
    state: Stored['state'],
    deliveryCount: number,
    message: Message | undefined,
  ): void {
    this.unplace(stored);
    this.unlock(stored);
    if (stored.state === 'deferred') this.deferredCount--;
    stored.state = state;
    stored.deliveryCount = deliveryCount;
    if (message !== undefined) stored.message = message;
    if (state === 'deferred') this.deferredCount++;
    else this.makeReady(stored);
  }

  renew(stored: Stored, now: number): number {
    const { lock } = stored;
    if (lock === undefined) throw messageLockLost();
    lock.until = now + this.settings.lockDurationMs;
    // Behind the others again, so that the map stays in the order of the ends.
    this.locks.delete(lock.key);
    this.locks.set(lock.key, stored);
    this.host.note({ kind: 'locked', stored, lock });
    return lock.until;
  }

  complete(stored: Stored, lock: Lock, now: number): void {
    this.check(stored, lock, now);
    this.touchedAt = now;
    this.remove(stored);
  }

  abandon(stored: Stored, lock: Lock, now: number, changes: Modifications = NONE): void {
    this.check(stored, lock, now);
    this.touchedAt = now;
    this.modify(stored, changes);
    this.release(stored, now, 1, changes.size > 0);
  }

  defer(stored: Stored, lock: Lock, now: number, changes: Modifications = NONE): void {
    this.check(stored, lock, now);
    this.modify(stored, changes);
    this.unlock(stored);
    if (stored.state !== 'deferred') this.deferredCount++;
    stored.state = 'deferred';
    if (!this.isDeadLetterQueue) stored.deliveryCount++;
    this.host.note({ kind: 'changed', stored, modified: changes.size > 0 });
  }

  deadLetter(stored: Stored, lock: Lock, now: number, changes: Modifications): void {
    this.check(stored, lock, now);
    if (this.isDeadLetterQueue)
      throw notAllowed('A message of a dead-letter queue cannot be dead-lettered again');
    this.moveToDeadLetters(stored, now, changes);
  }

  /** Gives a locked message back; `failures` counts towards the maximum of deliveries. */
  release(stored: Stored, now: number, failures: number, modified = false): void {
    this.unlock(stored);
    if (!this.isDeadLetterQueue) stored.deliveryCount += failures;
    if (stored.state === 'active') {
      if (failures > 0 && !this.isDeadLetterQueue && stored.deliveryCount >= this.settings.maxDeliveryCount) {
        const description = `Message could not be consumed after ${this.settings.maxDeliveryCount} delivery attempts.`;
        this.moveToDeadLetters(stored, now, deadLetterProperties('MaxDeliveryCountExceeded', description));
        return;
      }
      if (stored.expiresAt <= now) {
        this.expire(stored, now);
        return;
      }
      this.makeReady(stored);
    }
    this.host.note({ kind: 'changed', stored, modified });
  }

  private modify(stored: Stored, changes: Modifications): void {
    stored.message = stored.message.withApplicationProperties(changes);
  }

  private expire(stored: Stored, now: number): void {
    if (this.settings.deadLetterOnExpiration && !this.isDeadLetterQueue)
      this.moveToDeadLetters(
        stored,
        now,
        deadLetterProperties('TTLExpiredException', 'The message expired and was dead lettered.'),
      );
    else this.remove(stored);
  }

  private moveToDeadLetters(stored: Stored, now: number, changes: Modifications): void {
    const message = stored.message.withApplicationProperties(changes);
    const { forwardDeadLettersTo } = this.settings;
    this.remove(stored);
    if (forwardDeadLettersTo !== undefined) {
      const traced = message.withAnnotations({ 'x-opt-deadletter-source': string(this.path) });
      if (this.host.forward(forwardDeadLettersTo, traced, stored, now)) return;
    }
    this.deadLetters?.put(message, {
      now: stored.enqueuedAt,
      sequence: stored.sequence,
      firstSequence: stored.firstSequence,
      deliveryCount: stored.deliveryCount,
    });
  }

  cancelScheduled(sequence: number): void {
    const stored = this.messages.get(sequence);
    if (stored?.state !== 'scheduled') throw messageNotFound();
    this.remove(stored);
  }

  /** A deferred message, locked or removed, by its number. */
  takeDeferred(sequence: number, now: number, remove: boolean, slot?: SessionSlot): Stored {
    const stored = this.messages.get(sequence);
    if (stored?.state !== 'deferred' || stored.lock !== undefined || stored.expiresAt <= now)
      throw messageNotFound();
    if (slot !== undefined && stored.message.sessionId !== slot.id) throw messageNotFound();
    if (remove) this.remove(stored);
    else this.lock(stored, now, slot);
    return stored;
  }

  /** Everything that time does here. */
  advance(now: number): void {
    for (const [, stored] of this.locks) {
      if ((stored.lock?.until ?? 0) > now) break;
      this.release(stored, now, 1);
    }
    this.sessions.advance(now);
    for (let stored = this.expirations.take(now); stored !== undefined; stored = this.expirations.take(now)) {
      stored.expiry = undefined;
      // A locked one is looked at when its lock ends, a deferred one when it is asked for.
      if (stored.lock === undefined && stored.state === 'active') this.expire(stored, now);
    }
    for (let stored = this.scheduled.take(now); stored !== undefined; stored = this.scheduled.take(now)) {
      stored.place = undefined;
      this.remove(stored);
      const message = stored.message.withoutAnnotation('x-opt-scheduled-enqueue-time');
      if (this.onDue !== undefined) this.onDue({ ...stored, message }, now);
      else this.put(message, { now, firstSequence: stored.firstSequence });
    }
    this.forgetSeen(now);
  }

  get nextDue(): number {
    const [firstLock] = this.locks.values();
    return Math.min(
      firstLock?.lock?.until ?? Infinity,
      this.sessions.nextDue,
      this.expirations.first,
      this.scheduled.first,
    );
  }

  /** For tests: every lock ends now. */
  expireLocks(now: number): void {
    for (const stored of [...this.locks.values()]) this.release(stored, now, 1);
    this.sessions.expireAll(now);
  }

  peek(from: number, count: number, now: number, session: string | undefined): Stored[] {
    const numbers = this.isDeadLetterQueue
      ? [...this.messages.keys()].sort((a, b) => a - b)
      : this.messages.keys();
    const found: Stored[] = [];
    for (const sequence of numbers) {
      if (found.length >= count) break;
      const stored = this.messages.get(sequence);
      if (stored === undefined || sequence < from || stored.expiresAt <= now) continue;
      if (session !== undefined && stored.message.sessionId !== session) continue;
      found.push(stored);
    }
    return found;
  }
}
