import { sql } from 'kysely';
import type { AccountId, Generation, InstanceId } from '@twinkey/contracts';
import type { Instance } from '@twinkey/key-switch';
import type { Trx } from '../tables.js';
import { INSTANCE_COLUMNS, instanceOf } from './load-instances.js';

export interface LockedMembership {
  readonly current: Instance;
  /** The generation that the account's switch is about; 0 while nothing is published as far as we know. */
  readonly published: Generation;
  readonly now: number;
  /** With which its acknowledgements over the bus are signed; null: with none. */
  readonly voice: Buffer | null;
}

/**
 * What some instances said about one account, locked; who is not known or not registered for it is not in there. The
 * account is only read: a thousand instances may acknowledge at the same moment. Locked in one order, whoever asks, so
 * that two replicas that heard the same instances wait for each other only one way.
 */
export async function lockMemberships(
  trx: Trx,
  account: AccountId,
  instances: readonly InstanceId[],
): Promise<Map<InstanceId, LockedMembership>> {
  const rows = await trx
    .selectFrom('membership')
    .innerJoin('instance', 'instance.instance', 'membership.instance')
    .innerJoin('account', 'account.account', 'membership.account')
    .select([
      ...INSTANCE_COLUMNS,
      'account.generation',
      'instance.voice',
      sql<Date>`clock_timestamp()`.as('now'),
    ])
    .where('membership.account', '=', account)
    // One array, so that the statement and its plan are the same whatever their number.
    .where('membership.instance', '=', sql<InstanceId>`any(${instances}::text[])`)
    .orderBy('membership.instance')
    .forUpdate('membership')
    .execute();
  return new Map(
    rows.map((row) => [
      row.instance,
      { current: instanceOf(row), published: row.generation, now: row.now.getTime(), voice: row.voice },
    ]),
  );
}
