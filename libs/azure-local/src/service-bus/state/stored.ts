import type { DueEntry } from './due.js';
import type { Message } from './message.js';
import type { Queue } from './queue.js';
import type { SessionSlot } from './session-slot.js';

export interface Lock {
  /** Delivery tag on the wire: sixteen bytes in .NET GUID order. */
  readonly token: Buffer;
  readonly key: string;
  until: number;
  /** Held under a session's lock, which then decides when it ends. */
  readonly session: SessionSlot | undefined;
  /** Where the queue notes its end. */
  end?: DueEntry<Stored> | undefined;
}

/**
 * A message in a queue.
 *
 *   scheduled ──due──► (a new active one)      active ◄──lock, release──► locked ──complete──► gone
 *   active, locked ──defer──► deferred ◄──lock by sequence number, release──► locked
 */
export interface Stored {
  readonly queue: Queue;
  readonly sequence: number;
  /** The number at the entity that accepted it first. */
  readonly firstSequence: number;
  readonly enqueuedAt: number;
  readonly expiresAt: number;
  /** When a scheduled message becomes active. */
  readonly dueAt: number;
  /** Its part of the size of its entity: copies that share their bytes share the charge. */
  readonly charge: number;
  message: Message;
  state: 'active' | 'deferred' | 'scheduled';
  /** Failed deliveries so far. */
  deliveryCount: number;
  lock: Lock | undefined;
  place: DueEntry<Stored> | undefined;
  expiry: DueEntry<Stored> | undefined;
}

/** What must survive a restart, told to the journal as it happens. */
export type Change =
  | { readonly kind: 'enqueued'; readonly targets: readonly Stored[] }
  | { readonly kind: 'removed'; readonly stored: Stored }
  | { readonly kind: 'changed'; readonly stored: Stored; readonly modified: boolean }
  | { readonly kind: 'locked'; readonly stored: Stored; readonly lock: Lock }
  | {
      readonly kind: 'session-state';
      readonly queue: Queue;
      readonly session: string;
      readonly state: Buffer | null;
      readonly at: number;
    }
  | { readonly kind: 'session-used'; readonly queue: Queue; readonly session: string; readonly at: number }
  | {
      readonly kind: 'seen';
      readonly queue: Queue;
      readonly messageId: string;
      readonly until: number;
      readonly sequence: number;
    }
  /** A number was given to a message that is not stored here. */
  | { readonly kind: 'numbered'; readonly queue: Queue }
  | { readonly kind: 'touched'; readonly queue: Queue; readonly at: number }
  | { readonly kind: 'entity'; readonly path: string }
  | { readonly kind: 'entity-gone'; readonly path: string };
