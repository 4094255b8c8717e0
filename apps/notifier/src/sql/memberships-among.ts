import type { AccountId, InstanceId } from '@twinkey/contracts';
import type { Queries } from '../tables.js';

export interface Membership {
  readonly account: AccountId;
  readonly instance: InstanceId;
}

/** Which accounts these instances are registered for. */
export async function membershipsAmong(
  db: Queries,
  instances: readonly InstanceId[],
): Promise<readonly Membership[]> {
  if (instances.length === 0) return [];
  return db
    .selectFrom('membership')
    .select(['account', 'instance'])
    .where('instance', 'in', instances)
    .orderBy('account')
    .execute();
}
