import type { AccountId } from '@twinkey/contracts';
import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';
import type { AccountRow } from '../tables.js';
import { nextVersion } from './next-version.js';

export interface Withdrawn {
  readonly account: AccountId;
  readonly reason: string;
  /** The file still names it, so people are shown that it is gone. */
  readonly listed: boolean;
}

/**
 * Takes accounts out of care. What is known of their rotations stays: an account that comes back goes on where it
 * was. Returns the rows that this changed. Locks in the order of the accounts' ids, see takeUnderCare.
 */
export async function withdrawAccounts(
  trx: InTransaction,
  withdrawn: readonly Withdrawn[],
  now: Date,
): Promise<readonly AccountRow[]> {
  if (withdrawn.length === 0) return [];
  const { rows } = await sql<AccountRow>`
    with w as materialized (
      select w.* from unnest(${withdrawn.map(({ account }) => account)}::text[],
                             ${withdrawn.map(({ reason }) => reason)}::text[],
                             ${withdrawn.map(({ listed }) => listed)}::boolean[]) as w (account, reason, listed)
      join account using (account)
      where (account.presence, account.trouble, account.listed) is distinct from ('gone', w.reason, w.listed)
      order by account
      for update of account
    )
    update account
    set presence = 'gone', trouble = w.reason, listed = w.listed, look_at = null, open_rotation = null,
        declared_version = ${nextVersion('account', now)}, declared_at = ${now}
    from w
    where account.account = w.account
    returning account.*`.execute(trx);
  return rows;
}
