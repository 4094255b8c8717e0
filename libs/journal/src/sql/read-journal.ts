import { sql } from 'kysely';
import type { StoredEvent } from '../change.js';
import { executorOf, type Queryable } from '../database.js';

/** The events of a stream from the oldest on, at most `limit` (1,000) with a number greater than `after`. */
export async function readJournal(
  db: Queryable,
  stream: string,
  { after = 0, limit = 1_000 }: { readonly after?: number; readonly limit?: number } = {},
): Promise<readonly StoredEvent[]> {
  const { rows } = await sql<StoredEvent>`
    select seq, type, data, at from journal
    where stream = ${stream} and seq > ${after}
    order by seq limit ${limit}`.execute(executorOf(db));
  return rows;
}
