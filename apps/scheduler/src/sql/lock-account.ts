import type { AccountId } from '@twinkey/contracts';
import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';
import type { AccountRow } from '../tables.js';

/** One account, its row locked until the end of the transaction; null when it was never under care. */
export async function lockAccount(trx: InTransaction, account: AccountId): Promise<AccountRow | null> {
  const { rows } = await sql<AccountRow>`
    select * from account where account = ${account} for update`.execute(trx);
  return rows[0] ?? null;
}
