import type { AccountId, InstanceId } from '@twinkey/contracts';
import type { Instance } from '@twinkey/key-switch';
import type { InstanceChannel, Trx } from '../tables.js';

export interface FoundInstance extends Instance {
  readonly channel: InstanceChannel;
  readonly lapsedAt: number | null;
  readonly accounts: readonly AccountId[];
  readonly identity: string | null;
}

/** The instance with the accounts it is registered for, locked; null when it is not known. */
export async function findInstance(trx: Trx, instance: InstanceId): Promise<FoundInstance | null> {
  const row = await trx
    .selectFrom('instance')
    .selectAll()
    .where('instance', '=', instance)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined) return null;
  const accounts = await trx
    .selectFrom('membership')
    .select('account')
    .where('instance', '=', instance)
    .orderBy('account')
    .execute();
  return {
    instance: row.instance,
    consumer: row.consumer,
    boot: row.boot,
    channel: row.channel,
    registeredAt: row.registered_at.getTime(),
    seenAt: row.seen_at.getTime(),
    leaseUntil: row.lease_until.getTime(),
    lapsedAt: row.lapsed_at?.getTime() ?? null,
    acknowledged: 0 as Instance['acknowledged'], // about the process as a whole there is nothing to acknowledge
    drainedAt: null,
    gone: false,
    identity: row.identity,
    accounts: accounts.map(({ account }) => account),
  };
}
