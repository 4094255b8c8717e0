import { sql } from 'kysely';
import { executorOf, type Queryable } from '../database.js';
import type { LeaseGrant } from '../lease.js';

/**
 * Takes the lease for `ttlMs`, or returns null while it is someone else's. Taking one's own live lease again
 * renews it under the same epoch; a lease that ran out, even one's own, comes back under the next epoch.
 *
 * The insert waits for whoever holds the row just now, and `where` is judged again on the row as that one left
 * it: of two takers one gets no row. clock_timestamp() and not now(), because now() is the time before waiting.
 */
export async function takeLease(
  db: Queryable,
  { name, holder, ttlMs }: { readonly name: string; readonly holder: string; readonly ttlMs: number },
): Promise<LeaseGrant | null> {
  const asked = performance.now();
  const { rows } = await sql<{ epoch: number }>`
    insert into lease as l (name, holder, epoch, expires_at)
    values (${name}, ${holder}, 1, clock_timestamp() + ${ttlMs} * interval '1 millisecond')
    on conflict (name) do update set
      holder = excluded.holder,
      epoch = case when l.expires_at > clock_timestamp() then l.epoch else l.epoch + 1 end,
      expires_at = clock_timestamp() + ${ttlMs} * interval '1 millisecond'
    where l.holder = excluded.holder or l.expires_at <= clock_timestamp()
    returning epoch`.execute(executorOf(db));
  const [row] = rows;
  return row ? { name, holder, epoch: row.epoch, safeUntil: asked + ttlMs } : null;
}
