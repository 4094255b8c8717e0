import type { InstanceId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/** Deletes instances and what they said; the journal remembers them. */
export async function forgetInstances(trx: Trx, instances: readonly InstanceId[]): Promise<void> {
  if (instances.length === 0) return;
  await trx.deleteFrom('instance').where('instance', 'in', instances).execute();
}
