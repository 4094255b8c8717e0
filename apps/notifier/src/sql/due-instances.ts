import { sql } from 'kysely';
import type { InstanceId } from '@twinkey/contracts';
import type { InstanceChannel, Trx } from '../tables.js';

export interface DueInstance {
  readonly instance: InstanceId;
  readonly channel: InstanceChannel;
  readonly leaseUntil: number;
  readonly lapsedAt: number | null;
}

/** Instances whose lease is worth a look, locked; those that another replica looks at, or that report now, are skipped. */
export async function dueInstances(trx: Trx, limit: number): Promise<readonly DueInstance[]> {
  const rows = await trx
    .selectFrom('instance')
    .select(['instance', 'channel', 'lease_until', 'lapsed_at'])
    .where('look_at', '<=', sql<Date>`clock_timestamp()`)
    .orderBy('look_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  return rows.map(({ instance, channel, lease_until, lapsed_at }) => ({
    instance,
    channel,
    leaseUntil: lease_until.getTime(),
    lapsedAt: lapsed_at?.getTime() ?? null,
  }));
}
