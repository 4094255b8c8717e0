import { sql } from 'kysely';
import type { Trx } from '../tables.js';

const HANDLER = 'key-acknowledged';

/**
 * The inbox for several messages at once: the ids among these that are seen for the first time. In one order, as two
 * replicas that were given the same messages wait for each other at the first of them.
 */
export async function rememberAcknowledgements(trx: Trx, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ id: string }>`
    insert into inbox (handler, message_id)
    select ${HANDLER}, id from unnest(${ids}::text[]) as message (id) order by id
    on conflict do nothing
    returning message_id as id`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}
