import { sql } from 'kysely';
import type { JournalEvent } from '../change.js';
import { recordForCommit } from '../dialect.js';
import type { InTransaction } from './append-outbox.js';
import { eventColumns } from './columns.js';

/**
 * Records events of a stream that has no row of its own (the Writer is for those that have).
 *
 * Locks nothing: whoever appends to a stream is expected to hold a lock on what the events are about, else two
 * writers' events may become visible in another order than their numbers.
 */
export async function appendJournal(
  trx: InTransaction,
  stream: string,
  events: readonly JournalEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const c = eventColumns(events);
  await sql`
    insert into journal (stream, type, data, at)
    select ${stream}::text, type, data, at
    from unnest(${c.type}::text[], ${c.data}::json[], ${c.at}::timestamptz[])
         with ordinality as e (type, data, at, n)
    order by n`.execute(trx);
  await recordForCommit(trx, { stream, events });
}
