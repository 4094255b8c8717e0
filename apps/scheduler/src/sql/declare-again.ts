import type { AccountId } from '@twinkey/contracts';
import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';
import type { AccountRow } from '../tables.js';
import { nextVersion } from './next-version.js';

/** A new version for an account whose row this transaction has locked. */
export async function declareAgain(
  trx: InTransaction,
  account: AccountId,
  now: Date,
): Promise<readonly AccountRow[]> {
  const { rows } = await sql<AccountRow>`
    update account set declared_version = ${nextVersion('account', now)}, declared_at = ${now}
    where account = ${account} and presence in ('here', 'keys-disabled')
    returning *`.execute(trx);
  return rows;
}
