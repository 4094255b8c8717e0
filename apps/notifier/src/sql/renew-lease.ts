import { sql } from 'kysely';
import type { AccountId, InstanceId } from '@twinkey/contracts';
import type { Queries } from '../tables.js';
import type { Told } from './load-told.js';

/**
 * A heartbeat: one row by its key, no index touched, no transaction around it. False when there is more to it: the
 * instance is unknown, has another boot, or its silence was noticed meanwhile. `told`: for people, by account.
 */
export async function renewLease(
  db: Queries,
  instance: InstanceId,
  boot: string,
  leaseSeconds: number,
  told: Readonly<Record<AccountId, Told>>,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update instance
       set seen_at = clock_timestamp(),
           lease_until = greatest(lease_until, clock_timestamp() + make_interval(secs => ${leaseSeconds})),
           told = ${Object.keys(told).length === 0 ? null : JSON.stringify(told)}
     where instance = ${instance} and boot = ${boot} and lapsed_at is null`.execute(db);
  return numAffectedRows === 1n;
}
