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
 * What one instance said about one account, locked; null when it is not known or not registered for it. The account
 * is only read: a thousand instances may acknowledge at the same moment.
 */
export async function lockMembership(
  trx: Trx,
  account: AccountId,
  instance: InstanceId,
): Promise<LockedMembership | null> {
  const row = await trx
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
    .where('membership.instance', '=', instance)
    .forUpdate('membership')
    .executeTakeFirst();
  if (row === undefined) return null;
  return { current: instanceOf(row), published: row.generation, now: row.now.getTime(), voice: row.voice };
}
