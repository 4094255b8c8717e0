import { sql } from 'kysely';
import type { AccountId } from '@twinkey/contracts';
import type { Instance } from '@twinkey/key-switch';
import type { Queries } from '../tables.js';

/** What an `Instance` is made of, of the tables instance and membership. */
export const INSTANCE_COLUMNS = [
  'instance.instance',
  'instance.consumer',
  'instance.boot',
  'instance.registered_at',
  'instance.seen_at',
  'instance.lease_until',
  'membership.acknowledged',
  'membership.drained_at',
] as const;

/**
 * Everybody who uses the account's key, and the database's time. The time is read after the rows: a lease that
 * was renewed before it is seen as renewed.
 */
export async function loadInstances(
  db: Queries,
  account: AccountId,
): Promise<{ instances: readonly Instance[]; now: number }> {
  const rows = await db
    .selectFrom('membership')
    .innerJoin('instance', 'instance.instance', 'membership.instance')
    .select(INSTANCE_COLUMNS)
    .where('membership.account', '=', account)
    .execute();
  return { instances: rows.map(instanceOf), now: await databaseTime(db) };
}

/** The one clock that decides leases and deadlines, in milliseconds. */
export async function databaseTime(db: Queries): Promise<number> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('The database did not say what time it is.');
  return row.now.getTime();
}

interface Row {
  instance: Instance['instance'];
  consumer: Instance['consumer'];
  boot: string;
  registered_at: Date;
  seen_at: Date;
  lease_until: Date;
  acknowledged: Instance['acknowledged'];
  drained_at: Date | null;
}

export function instanceOf(row: Row): Instance {
  return {
    instance: row.instance,
    consumer: row.consumer,
    boot: row.boot,
    registeredAt: row.registered_at.getTime(),
    seenAt: row.seen_at.getTime(),
    leaseUntil: row.lease_until.getTime(),
    acknowledged: row.acknowledged,
    drainedAt: row.drained_at?.getTime() ?? null,
    gone: false, // whoever says goodbye is deleted; the journal remembers
  };
}
