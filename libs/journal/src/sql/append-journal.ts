import { sql } from 'kysely';
import type { JournalEvent } from '../change.js';
import { recordForCommit } from '../dialect.js';
import type { InTransaction } from './append-outbox.js';
import { eventColumns } from './columns.js';

/** Events of one stream. */
export interface StreamEvents {
  readonly stream: string;
  readonly events: readonly JournalEvent[];
}

/**
 * Records events of a stream that has no row of its own (the Writer is for those that have).
 *
 * Locks nothing: whoever appends to a stream is expected to hold a lock on what the events are about, else two
 * writers' events may become visible in another order than their numbers.
 */
export function appendJournal(
  trx: InTransaction,
  stream: string,
  events: readonly JournalEvent[],
): Promise<void> {
  return appendJournals(trx, [{ stream, events }]);
}

/** The same for several streams, by one statement. */
export async function appendJournals(trx: InTransaction, of: readonly StreamEvents[]): Promise<void> {
  const events = of.flatMap((each) => each.events);
  if (events.length === 0) return;
  const streams = of.flatMap(({ stream, events: own }) => own.map(() => stream));
  const c = eventColumns(events);
  await sql`
    insert into journal (stream, type, data, at)
    select stream, type, data, at
    from unnest(${streams}::text[], ${c.type}::text[], ${c.data}::json[], ${c.at}::timestamptz[])
         with ordinality as e (stream, type, data, at, n)
    order by n`.execute(trx);
  for (const each of of) await recordForCommit(trx, each);
}
