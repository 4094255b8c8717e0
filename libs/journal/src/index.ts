export type { Change, Committed, CommitRefused, JournalEvent, StoredEvent } from './change.js';
export {
  openDatabase,
  type AnyDatabase,
  type Database,
  type DatabaseDriver,
  type DatabaseSettings,
  type Queryable,
} from './database.js';
export { leaseRemainingMs, type LeaseGrant } from './lease.js';
export type { Log } from './log.js';
export { migrate } from './migrate.js';
export { onOutboxAppended, type OutboxMessage, type StoredOutboxMessage } from './outbox.js';
export { OutboxRelay, type RelayOptions } from './relay.js';
export { appendJournal } from './sql/append-journal.js';
export { appendOutbox } from './sql/append-outbox.js';
export type { InTransaction } from './sql/in-transaction.js';
export { inspectSchema, type SchemaInspection } from './sql/inspect-schema.js';
export { loadStream } from './sql/load-stream.js';
export type { OutboxLag } from './sql/outbox-lag.js';
export { prune, type Pruned } from './sql/prune.js';
export { readJournal } from './sql/read-journal.js';
export { record, type Recording, type StreamEvents } from './sql/record.js';
export { releaseLease } from './sql/release-lease.js';
export { rememberMessage } from './sql/remember-message.js';
export { renewLease } from './sql/renew-lease.js';
export { streamsToLookAt } from './sql/streams-to-look-at.js';
export { takeLease } from './sql/take-lease.js';
export type { JournalTables } from './tables.js';
export { currentTraceparent, duringTrace } from './traceparent.js';
export { Writer } from './writer.js';
