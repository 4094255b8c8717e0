import { sql } from 'kysely';
import { executorOf, type Queryable } from '../database.js';
import type { LeaseGrant } from '../lease.js';

/**
 * Prolongs a lease to `ttlMs` from now, or returns null when it ran out: then someone may have acted meanwhile,
 * and only taking it anew, under the next epoch, is honest.
 *
 * One row update; a taker waiting on the row sees the new expiry.
 */
export async function renewLease(
  db: Queryable,
  { name, holder, epoch }: LeaseGrant,
  ttlMs: number,
): Promise<LeaseGrant | null> {
  const asked = performance.now();
  const { rows } = await sql`
    update lease set expires_at = clock_timestamp() + ${ttlMs} * interval '1 millisecond'
    where name = ${name} and holder = ${holder} and epoch = ${epoch} and expires_at > clock_timestamp()
    returning 1`.execute(executorOf(db));
  return rows.length === 1 ? { name, holder, epoch, safeUntil: asked + ttlMs } : null;
}
