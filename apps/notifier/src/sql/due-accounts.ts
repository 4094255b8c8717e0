import { sql } from 'kysely';
import type { AccountId } from '@twinkey/contracts';
import type { Queries } from '../tables.js';

/** Accounts that somebody said something about, or whose time to be looked at has come. Locks nothing. */
export async function dueAccounts(db: Queries, limit: number): Promise<readonly AccountId[]> {
  const { rows } = await sql<{ account: AccountId }>`
    (select distinct account from nudge limit ${limit})
    union
    (select account from account where look_at <= clock_timestamp() order by look_at limit ${limit})`.execute(
    db,
  );
  return rows.map(({ account }) => account);
}
