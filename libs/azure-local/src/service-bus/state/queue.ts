import { string } from '../amqp/put.js';
import { NEVER_MS } from '../duration.js';
import { messageLockLost, messageNotFound, notAllowed, sessionLockLost } from '../errors.js';
import { DueHeap, type DueEntry } from './due.js';
import type { QueueSettings } from './entity.js';
import { Locks } from './locks.js';
import type { Message } from './message.js';
import { MessageOrder } from './message-order.js';
import { QueueSessions } from './queue-sessions.js';
import { SeenIds, type SeenId } from './seen-ids.js';
import type { SessionSlot } from './session-slot.js';
import { checkReason, deadLetterProperties, type Modifications } from './stamps.js';
import type { Change, Lock, Stored } from './stored.js';

export interface QueueHost {
  note(change: Change): void;
  /** A receiver that waits for this queue may find something. */
  available(queue: Queue): void;
  /** Something happens in this queue at `at` if nobody acts before. */
  dueAt(queue: Queue, at: number): void;
  newToken(): Buffer;
  /** The time of a scheduled message has come; it is no longer stored. */
  due(stored: Stored, now: number): void;
  /** False when the address takes no dead letters; they then stay with their queue. */
  forwardDeadLetter(address: string, message: Message, from: Stored, now: number): boolean;
}

export interface PutOptions {
  readonly now: number;
  readonly dueAt?: number;
  readonly firstSequence?: number;
  readonly deliveryCount?: number;
  readonly sequence?: number;
  /** How many copies share the bytes of the message; 1 if absent. */
  readonly sharedBy?: number;
}

/** A topic's own store counts, remembers ids and holds what is scheduled. */
export type Role = 'queue' | 'subscription' | 'topic' | 'dead-letters' | 'transfer-dead-letters';

const NONE: Modifications = new Map();
/** The header holds 32 bits of milliseconds. */
const LONGEST_HEADER_TTL_MS = 0xffff_ffff;

/**
 * A store of messages: a queue, a subscription, the dead letters of either, or what a topic has scheduled. Pure:
 * time is an argument, the outside world is the host. Setting, settling and finding the first thing to end cost
 * about the same with one lock and with a million.
 *
 * A queue and its stores of dead letters share one count of sequence numbers: a dead letter keeps its number, and no
 * other message gets it.
 */
export class Queue {
  readonly messages = new Map<number, Stored>();
  readonly sessions: QueueSessions;
  private readonly order = new MessageOrder();
  private readonly ready = new DueHeap<Stored>();
  private readonly locks = new Locks();
  private readonly expirations = new DueHeap<Stored>();
  private readonly scheduled = new DueHeap<Stored>();
  private readonly seen = new SeenIds();
  private ownSettings: QueueSettings;
  private last = 0;
  private receiverCount = 0;
  private notedTouchAt = -Infinity;
  deferredCount = 0;
  /** Of all that is stored here and in what belongs to it: the size of the entity. */
  bytes = 0;
  touchedAt: number;
  updatedAt: number;
  /** Deleted: whoever still holds this store must leave it alone. */
  isGone = false;
  /** When the broker looks at this store next. */
  wake: DueEntry<Queue> | undefined;
  /** Where dead letters go; neither a dead-letter queue nor a topic has any. */
  readonly deadLetters: Queue | undefined;
  private transfers: Queue | undefined;

  constructor(
    readonly id: number,
    readonly path: string,
    settings: QueueSettings,
    readonly host: QueueHost,
    readonly createdAt: number,
    readonly role: Role,
    /** What this store is a part of: the queue of its dead letters, the topic of a subscription. */
    readonly owner?: Queue,
  ) {
    this.ownSettings = settings;
    this.touchedAt = createdAt;
    this.updatedAt = createdAt;
    this.sessions = new QueueSessions(this);
    if (role === 'queue' || role === 'subscription')
      this.deadLetters = new Queue(
        id + 1,
        `${path}/$DeadLetterQueue`,
        lettersSettings(settings),
        host,
        createdAt,
        'dead-letters',
        this,
      );
  }

  get settings(): QueueSettings {
    return this.ownSettings;
  }

  /** The dead letters follow, whichever way the settings came. */
  set settings(settings: QueueSettings) {
    this.ownSettings = settings;
    if (this.deadLetters !== undefined) this.deadLetters.settings = lettersSettings(settings);
    if (this.transfers !== undefined) this.transfers.settings = lettersSettings(settings);
  }

  get isDeadLetterQueue(): boolean {
    return this.role === 'dead-letters' || this.role === 'transfer-dead-letters';
  }

  get needsSession(): boolean {
    return this.settings.requiresSession && (this.role === 'queue' || this.role === 'subscription');
  }

  /** Dead letters of forwarding, if there ever were any. */
  get transferDeadLetters(): Queue | undefined {
    return this.transfers;
  }

  /** Made when first needed: few queues forward. Its number is the negative one of its queue. */
  transferLetters(): Queue | undefined {
    if (this.deadLetters === undefined) return undefined;
    this.transfers ??= new Queue(
      -this.id,
      `${this.path}/$Transfer/$DeadLetterQueue`,
      lettersSettings(this.settings),
      this.host,
      this.createdAt,
      'transfer-dead-letters',
      this,
    );
    return this.transfers;
  }

  /** This store and those of its dead letters. */
  get withLetters(): readonly Queue[] {
    return [this, this.deadLetters, this.transfers].filter((each) => each !== undefined);
  }

  /** Links that receive from here or from what belongs to it; an entity with one is not idle. */
  get receivers(): number {
    return this.receiverCount;
  }

  set receivers(count: number) {
    if (this.owner !== undefined) this.owner.receivers += count - this.receiverCount;
    this.receiverCount = count;
  }

  /** The highest sequence number that was ever given. */
  get lastSequence(): number {
    return this.isDeadLetterQueue ? (this.owner?.lastSequence ?? 0) : this.last;
  }

  set lastSequence(sequence: number) {
    if (!this.isDeadLetterQueue) this.last = sequence;
    else if (this.owner !== undefined) this.owner.lastSequence = sequence;
  }

  /** A number for a message that is not stored here. Noted, because no stored message tells of it. */
  nextNumber(): number {
    const sequence = ++this.lastSequence;
    this.host.note({ kind: 'numbered', queue: this });
    return sequence;
  }

  /** Somebody uses the entity: it is not idle. */
  touch(now: number): void {
    this.touchedAt = now;
    const { autoDeleteOnIdleMs } = this.settings;
    if (
      !this.isDeadLetterQueue &&
      autoDeleteOnIdleMs < NEVER_MS &&
      now - this.notedTouchAt >= autoDeleteOnIdleMs / 10
    ) {
      this.notedTouchAt = now;
      this.host.note({ kind: 'touched', queue: this, at: now });
    }
    this.owner?.touch(now);
  }

  private charge(bytes: number): void {
    this.bytes += bytes;
    this.owner?.charge(bytes);
  }

  /** The entity is deleted: what it held is no longer part of its topic's size. */
  discarded(): void {
    this.isGone = true;
    this.owner?.charge(-this.bytes);
    for (const each of this.withLetters) each.isGone = true;
  }

  get scheduledCount(): number {
    return this.scheduled.size;
  }

  get activeCount(): number {
    return this.messages.size - this.scheduled.size - this.deferredCount;
  }

  /** The number of the message that came with this id within the window. */
  duplicateOf(messageId: string | undefined, now: number): number | undefined {
    if (!this.settings.requiresDuplicateDetection || messageId === undefined) return undefined;
    return this.seen.find(messageId, now)?.sequence;
  }

  rememberId(messageId: string | undefined, now: number, sequence: number): void {
    if (!this.settings.requiresDuplicateDetection || messageId === undefined) return;
    const until = now + this.settings.duplicateWindowMs;
    this.restoreSeen(messageId, { until, sequence });
    this.host.note({ kind: 'seen', queue: this, messageId, until, sequence });
  }

  restoreSeen(messageId: string, seen: SeenId): void {
    this.seen.remember(messageId, seen);
    this.host.dueAt(this, this.seen.nextDue);
  }

  get remembered(): ReadonlyMap<string, SeenId> {
    return this.seen.all;
  }

  /** The message with a time to live that is no longer than this store allows. */
  limited(message: Message): Message {
    const { defaultTtlMs } = this.settings;
    return this.isDeadLetterQueue ||
      defaultTtlMs > LONGEST_HEADER_TTL_MS ||
      (message.header.ttlMs ?? Infinity) <= defaultTtlMs
      ? message
      : message.withTtl(defaultTtlMs);
  }

  /** Stores without telling the journal, so that a topic can tell it once for all its copies. */
  place(message: Message, o: PutOptions): Stored {
    const sequence = o.sequence ?? this.lastSequence + 1;
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
      charge: message.size / (o.sharedBy ?? 1),
      message,
      state: isScheduled ? 'scheduled' : 'active',
      deliveryCount: o.deliveryCount ?? 0,
      lock: undefined,
      place: undefined,
      expiry: undefined,
    };
    return this.add(stored);
  }

  put(message: Message, o: PutOptions): Stored {
    const stored = this.place(message, o);
    this.host.note({ kind: 'enqueued', targets: [stored] });
    return stored;
  }

  /** Takes a message in as it is: fresh, or as the journal tells it. Never in the place of another one. */
  add(wanted: Stored): Stored {
    const isTaken = this.messages.has(wanted.sequence);
    const stored = isTaken ? { ...wanted, sequence: this.lastSequence + 1 } : wanted;
    this.lastSequence = Math.max(this.lastSequence, stored.sequence);
    this.messages.set(stored.sequence, stored);
    this.order.add(stored.sequence);
    this.charge(stored.charge);
    this.sessions.counted(stored, 1);
    if (stored.state === 'scheduled') {
      stored.place = this.scheduled.add(stored.dueAt, stored);
      this.host.dueAt(this, stored.dueAt);
      return stored;
    }
    // Short of the longest time span there is; those that never expire are not in the heap.
    if (stored.expiresAt < Number.MAX_SAFE_INTEGER / 16) {
      stored.expiry = this.expirations.add(stored.expiresAt, stored);
      this.host.dueAt(this, stored.expiresAt);
    }
    if (stored.state === 'deferred') this.deferredCount++;
    else this.makeReady(stored);
    return stored;
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
    if (this.messages.get(stored.sequence) === stored) {
      this.messages.delete(stored.sequence);
      this.order.removed((sequence) => this.messages.has(sequence));
      this.charge(-stored.charge);
    }
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
    this.touch(now);
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
    this.locks.set(stored, lock);
    this.host.dueAt(this, lock.until);
  }

  private unlock(stored: Stored): void {
    if (stored.lock === undefined) return;
    if (stored.lock.session === undefined) this.locks.delete(stored.lock);
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
    // The lock of a session is renewed for all its messages at once.
    if (lock.session !== undefined) return lock.session.lockedUntil;
    this.touch(now);
    lock.until = now + this.settings.lockDurationMs;
    this.locks.set(stored, lock);
    this.host.dueAt(this, lock.until);
    this.host.note({ kind: 'locked', stored, lock });
    return lock.until;
  }

  complete(stored: Stored, lock: Lock, now: number): void {
    this.check(stored, lock, now);
    this.touch(now);
    this.remove(stored);
  }

  abandon(stored: Stored, lock: Lock, now: number, changes: Modifications = NONE): void {
    this.check(stored, lock, now);
    this.touch(now);
    this.modify(stored, changes);
    this.release(stored, now, 1, changes.size > 0);
  }

  defer(stored: Stored, lock: Lock, now: number, changes: Modifications = NONE): void {
    this.check(stored, lock, now);
    this.touch(now);
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
    checkReason(changes);
    this.touch(now);
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
    }
    if (stored.expiresAt <= now) {
      this.expire(stored, now);
      return;
    }
    if (stored.state === 'active') this.makeReady(stored);
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
      if (this.host.forwardDeadLetter(forwardDeadLettersTo, traced, stored, now)) return;
    }
    this.deadLetters?.put(message, {
      now: stored.enqueuedAt,
      sequence: stored.sequence,
      firstSequence: stored.firstSequence,
      deliveryCount: stored.deliveryCount,
    });
  }

  /** Takes in a dead letter that was never stored in this queue itself. */
  deadLetterNew(
    to: Queue | undefined,
    message: Message,
    reason: string,
    description: string,
    o: PutOptions,
  ): void {
    to?.put(message.withApplicationProperties(deadLetterProperties(reason, description)), o);
  }

  cancelScheduled(sequence: number): void {
    const stored = this.messages.get(sequence);
    if (stored?.state !== 'scheduled') throw messageNotFound();
    this.remove(stored);
  }

  /** A deferred message, locked or removed, by its number. */
  takeDeferred(sequence: number, now: number, remove: boolean, slot?: SessionSlot): Stored {
    const stored = this.messages.get(sequence);
    if (stored?.state !== 'deferred' || stored.lock !== undefined) throw messageNotFound();
    if (stored.expiresAt <= now) {
      this.expire(stored, now);
      throw messageNotFound();
    }
    this.touch(now);
    if (slot !== undefined && stored.message.sessionId !== slot.id) throw messageNotFound();
    if (remove) this.remove(stored);
    else this.lock(stored, now, slot);
    return stored;
  }

  /** Everything that time does here. */
  advance(now: number): void {
    for (let stored = this.locks.takeEnded(now); stored !== undefined; stored = this.locks.takeEnded(now))
      this.release(stored, now, 1);
    this.sessions.advance(now);
    for (let stored = this.expirations.take(now); stored !== undefined; stored = this.expirations.take(now)) {
      stored.expiry = undefined;
      // A locked one is looked at when its lock ends.
      if (stored.lock === undefined) this.expire(stored, now);
    }
    for (let stored = this.scheduled.take(now); stored !== undefined; stored = this.scheduled.take(now)) {
      stored.place = undefined;
      this.remove(stored);
      this.host.due(stored, now);
    }
    this.seen.forget(now);
  }

  get nextDue(): number {
    return Math.min(
      this.locks.first,
      this.seen.nextDue,
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
    this.touch(now);
    const found: Stored[] = [];
    for (const sequence of this.order.from(from)) {
      if (found.length >= count) break;
      const stored = this.messages.get(sequence);
      if (stored === undefined || stored.expiresAt <= now) continue;
      if (session !== undefined && stored.message.sessionId !== session) continue;
      found.push(stored);
    }
    return found;
  }

  /** How many things are remembered beside the messages, for those who watch the memory. */
  get sizes(): Readonly<Record<string, number>> {
    return {
      locks: this.locks.size,
      seen: this.seen.all.size,
      sessions: this.sessions.size,
      order: this.order.length,
    };
  }
}

/** Dead letters are received like the messages of their queue, but have no sessions and go nowhere by themselves. */
function lettersSettings(settings: QueueSettings): QueueSettings {
  return {
    ...settings,
    requiresSession: false,
    requiresDuplicateDetection: false,
    forwardTo: undefined,
    forwardDeadLettersTo: undefined,
  };
}
