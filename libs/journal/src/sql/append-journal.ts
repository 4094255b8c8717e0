import type { JournalEvent } from '../change.js';
import type { InTransaction } from './in-transaction.js';
import { record } from './record.js';

/** Records events of one stream: what `record` promises of events. */
export function appendJournal(
  trx: InTransaction,
  stream: string,
  events: readonly JournalEvent[],
): Promise<void> {
  return record(trx, { events: [{ stream, events }] });
}
