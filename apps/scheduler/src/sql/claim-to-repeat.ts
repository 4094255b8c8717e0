import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';
import type { AccountRow } from '../tables.js';
import { nextVersion } from './next-version.js';

/**
 * Accounts that were declared before `before`, the longest ago first, under a new version as of now.
 *
 * Rows that another scheduler has locked are skipped: it is declaring them, or judging them.
 */
export async function claimToRepeat(
  trx: InTransaction,
  { now, before, atMost }: { readonly now: Date; readonly before: Date; readonly atMost: number },
): Promise<readonly AccountRow[]> {
  const { rows } = await sql<AccountRow>`
    with claimed as materialized (
      select account from account
      where presence in ('here', 'keys-disabled') and declared_at < ${before}
      order by declared_at
      limit ${atMost}
      for update skip locked
    )
    update account
    set declared_version = ${nextVersion('account', now)}, declared_at = ${now}
    from claimed
    where account.account = claimed.account
    returning account.*`.execute(trx);
  return rows;
}
