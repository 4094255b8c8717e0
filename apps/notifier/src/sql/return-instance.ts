import type { InstanceId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/** Gives a lease to an instance whose silence was noticed, and which this transaction has locked. */
export async function returnInstance(
  trx: Trx,
  instance: InstanceId,
  { now, leaseUntil, lookAt }: { now: number; leaseUntil: number; lookAt: number },
): Promise<void> {
  await trx
    .updateTable('instance')
    .set({
      seen_at: new Date(now),
      lease_until: new Date(leaseUntil),
      lapsed_at: null,
      look_at: new Date(lookAt),
    })
    .where('instance', '=', instance)
    .execute();
}
