import { sql } from 'kysely';
import { executorOf, type Queryable } from '../database.js';
import type { LeaseGrant } from '../lease.js';

/**
 * Gives a lease back, so that the next taker need not wait for its end. Does nothing when it is no longer ours.
 *
 * The row stays, expired, because it carries the epoch.
 */
export async function releaseLease(db: Queryable, { name, holder, epoch }: LeaseGrant): Promise<void> {
  await sql`
    update lease set expires_at = '-infinity'
    where name = ${name} and holder = ${holder} and epoch = ${epoch}`.execute(executorOf(db));
}
