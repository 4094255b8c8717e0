import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';
import type { AccountRow } from '../tables.js';

/**
 * Accounts whose time to be judged has come, the longest waiting first.
 *
 * Locks each row until the end of the transaction and skips those that another scheduler has locked: two
 * schedulers share the work, and neither sees a row that the other has judged but not yet committed.
 */
export async function claimToJudge(
  trx: InTransaction,
  { now, atMost }: { readonly now: Date; readonly atMost: number },
): Promise<readonly AccountRow[]> {
  const { rows } = await sql<AccountRow>`
    select * from account
    where look_at is not null and look_at <= ${now}
    order by look_at
    limit ${atMost}
    for update skip locked`.execute(trx);
  return rows;
}
