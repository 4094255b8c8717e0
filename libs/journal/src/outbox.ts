import { insideOf, type AnyDatabase } from './database.js';

/** A message that leaves when, and only when, the transaction it was appended in commits. */
export interface OutboxMessage {
  /** Derived, never random: appending the same message again does nothing. It becomes the broker's message id. */
  readonly id: string;
  /** Queue or topic. */
  readonly entity: string;
  readonly subject?: string;
  readonly body: unknown;
  readonly traceparent?: string;
  /** Not sent before this time, which also takes it out of the order of its key until then. */
  readonly notBefore?: Date;
  /** Messages of one key are sent in the order in which they were appended. */
  readonly orderKey: string;
}

export interface StoredOutboxMessage extends OutboxMessage {
  readonly seq: number;
  readonly appendedAt: Date;
}

/**
 * Calls `listener` after each commit of this process that appended to the outbox, be it by the Writer or by
 * appendOutbox in a transaction of this database. Returns how to stop listening.
 */
export function onOutboxAppended(database: AnyDatabase, listener: () => void): () => void {
  const { outboxListeners } = insideOf(database);
  outboxListeners.add(listener);
  return () => void outboxListeners.delete(listener);
}

export function announceAppended(database: AnyDatabase): void {
  for (const listener of insideOf(database).outboxListeners) listener();
}
