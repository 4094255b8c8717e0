import type { AccountId, InstanceId } from '@twinkey/contracts';
import type { InstanceEvent } from '@twinkey/key-switch';
import type { Trx } from '../tables.js';

/** Keeps what an instance acknowledged about an account, whose membership this transaction has locked. */
export async function saveAcknowledgement(
  trx: Trx,
  account: AccountId,
  instance: InstanceId,
  { generation, drainedAt, at }: InstanceEvent & { event: 'generation-acknowledged' },
): Promise<void> {
  await trx
    .updateTable('membership')
    .set({
      acknowledged: generation,
      acknowledged_at: new Date(at),
      drained_at: drainedAt === null ? null : new Date(drainedAt),
    })
    .where('account', '=', account)
    .where('instance', '=', instance)
    .execute();
}
