import type { LeaseGrant } from './lease.js';
import type { OutboxMessage } from './outbox.js';

/** One fact, recorded for ever. */
export interface JournalEvent {
  readonly type: string;
  readonly data: unknown;
  readonly at: Date;
}

export interface StoredEvent extends JournalEvent {
  /** Grows along a stream, with gaps. */
  readonly seq: number;
}

/** Everything that becomes true together, or not at all. */
export interface Change {
  readonly stream: string;
  /** The version the new state was derived from; 0 creates the stream. */
  readonly expectedVersion: number;
  readonly state: unknown;
  /** When somebody should look at the stream although nothing happened to it; null: never. */
  readonly lookAgainAt: Date | null;
  readonly events: readonly JournalEvent[];
  readonly outbox: readonly OutboxMessage[];
  /** More fields for the log lines of the events. */
  readonly about?: Readonly<Record<string, unknown>>;
  /** The message that caused the change. */
  readonly inbox?: { readonly handler: string; readonly messageId: string };
  /** Commit only while this lease is held by the database's clock. */
  readonly lease?: LeaseGrant;
}

export interface Committed {
  readonly committed: true;
  readonly version: number;
}

export interface CommitRefused {
  readonly committed: false;
  readonly why: 'stale-version' | 'lease-lost' | 'message-already-handled';
}
