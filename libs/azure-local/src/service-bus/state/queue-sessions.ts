import { sessionCannotBeLocked, sessionLockLost } from '../errors.js';
import { DueHeap } from './due.js';
import type { Queue } from './queue.js';
import { SessionSlot } from './session-slot.js';
import type { Stored } from './stored.js';

/** Which sessions a listing wants: those used since a moment, or those with messages to receive. */
export type SessionListing = { readonly since: number } | { readonly active: true };

/** The sessions of one queue. A queue without sessions has an empty one of these. */
export class QueueSessions {
  private readonly slots = new Map<string, SessionSlot>();
  /** Free sessions with messages, the one that has waited longest first. */
  private readonly waiting = new Set<SessionSlot>();
  private readonly ends = new DueHeap<SessionSlot>();
  private readonly byToken = new Map<string, Stored>();
  onLost: (slot: SessionSlot, holder: object) => void = () => undefined;

  constructor(private readonly queue: Queue) {}

  of(stored: Stored): SessionSlot | undefined {
    if (!this.queue.needsSession) return undefined;
    return this.slot(stored.message.sessionId ?? '');
  }

  private slot(id: string): SessionSlot {
    let slot = this.slots.get(id);
    if (slot === undefined) {
      slot = new SessionSlot(id);
      this.slots.set(id, slot);
    }
    return slot;
  }

  counted(stored: Stored, change: 1 | -1): void {
    const slot = this.of(stored);
    if (slot === undefined) return;
    slot.messageCount += change;
    if (change === 1) slot.updatedAt = Math.max(slot.updatedAt, stored.enqueuedAt);
    this.changed(slot);
  }

  changed(slot: SessionSlot): void {
    if (slot.isWaiting) this.waiting.add(slot);
    else this.waiting.delete(slot);
    if (slot.isEmpty && this.slots.get(slot.id) === slot) this.slots.delete(slot.id);
  }

  hold(slot: SessionSlot, stored: Stored): void {
    slot.held.add(stored);
    if (stored.lock !== undefined) this.byToken.set(stored.lock.key, stored);
  }

  letGo(slot: SessionSlot, stored: Stored): void {
    slot.held.delete(stored);
    if (stored.lock !== undefined) this.byToken.delete(stored.lock.key);
  }

  heldByToken(key: string): Stored | undefined {
    return this.byToken.get(key);
  }

  /** Locks a session for `holder`: the named one, or the next free one with messages. */
  accept(id: string | undefined, holder: object, now: number): SessionSlot | undefined {
    const slot = id === undefined ? this.waiting.values().next().value : this.slot(id);
    if (slot === undefined) return undefined;
    if (slot.holder !== undefined && slot.lockedUntil > now) throw sessionCannotBeLocked(slot.id);
    if (slot.holder !== undefined) this.lose(slot, now);
    // Emptied meanwhile: the slot may have been forgotten.
    this.slots.set(slot.id, slot);
    slot.holder = holder;
    slot.updatedAt = now;
    this.extend(slot, now);
    this.changed(slot);
    this.queue.touch(now);
    this.queue.host.note({ kind: 'session-used', queue: this.queue, session: slot.id, at: now });
    return slot;
  }

  private extend(slot: SessionSlot, now: number): void {
    slot.lockedUntil = now + this.queue.settings.lockDurationMs;
    this.forgetEnd(slot);
    slot.end = this.ends.add(slot.lockedUntil, slot);
    for (const stored of slot.held) if (stored.lock !== undefined) stored.lock.until = slot.lockedUntil;
    this.queue.host.dueAt(this.queue, slot.lockedUntil);
  }

  private forgetEnd(slot: SessionSlot): void {
    if (slot.end !== undefined) this.ends.remove(slot.end);
    slot.end = undefined;
  }

  renew(id: string, now: number): number {
    const slot = this.holding(id, now);
    this.extend(slot, now);
    this.queue.touch(now);
    return slot.lockedUntil;
  }

  /** The session, if it is held at present. */
  holding(id: string, now: number): SessionSlot {
    const slot = this.slots.get(id);
    if (slot?.holder === undefined || slot.lockedUntil <= now) throw sessionLockLost();
    return slot;
  }

  /** The holder closed its link: what it had not settled counts as not delivered. */
  release(slot: SessionSlot, holder: object, now: number): void {
    if (slot.holder === holder) this.free(slot, now, 0);
  }

  private free(slot: SessionSlot, now: number, failures: number): void {
    slot.holder = undefined;
    this.forgetEnd(slot);
    for (const stored of [...slot.held]) this.queue.release(stored, now, failures);
    this.changed(slot);
    this.queue.host.available(this.queue);
  }

  private lose(slot: SessionSlot, now: number): void {
    const { holder } = slot;
    this.free(slot, now, 1);
    if (holder !== undefined) this.onLost(slot, holder);
  }

  advance(now: number): void {
    for (let slot = this.ends.take(now); slot !== undefined; slot = this.ends.take(now)) this.lose(slot, now);
  }

  expireAll(now: number): void {
    for (const slot of [...this.slots.values()]) if (slot.holder !== undefined) this.lose(slot, now);
  }

  get nextDue(): number {
    return this.ends.first;
  }

  state(id: string): Buffer | null {
    return this.slots.get(id)?.state ?? null;
  }

  setState(id: string, state: Buffer | null, now: number): void {
    this.restoreState(id, state, now);
    this.queue.touch(now);
    this.queue.host.note({ kind: 'session-state', queue: this.queue, session: id, state, at: now });
  }

  restoreState(id: string, state: Buffer | null, at: number): void {
    const slot = this.slot(id);
    slot.state = state;
    slot.updatedAt = Math.max(slot.updatedAt, at);
    this.changed(slot);
  }

  /** As the journal tells it: accepted at that time. */
  restoreUse(id: string, at: number): void {
    const slot = this.slots.get(id);
    if (slot !== undefined) slot.updatedAt = Math.max(slot.updatedAt, at);
  }

  /** Ids of sessions that have messages or state and were used since; or of those with messages to receive. */
  list(wanted: number | SessionListing): string[] {
    const isWanted =
      typeof wanted === 'object' && 'active' in wanted
        ? (slot: SessionSlot) => slot.isActive
        : (slot: SessionSlot) =>
            (slot.messageCount > 0 || slot.state !== null) &&
            slot.updatedAt >= (typeof wanted === 'number' ? wanted : wanted.since);
    return [...this.slots.values()].filter(isWanted).map((slot) => slot.id);
  }

  get states(): [string, Buffer][] {
    return [...this.slots.values()].flatMap((slot) => (slot.state === null ? [] : [[slot.id, slot.state]]));
  }

  /** When each session was used last. */
  get uses(): [string, number][] {
    return [...this.slots.values()].map((slot) => [slot.id, slot.updatedAt]);
  }

  /** How many things are remembered, for those who watch the memory. */
  get size(): number {
    return this.slots.size + this.byToken.size;
  }
}
