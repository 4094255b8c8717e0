import { sql } from 'kysely';
import { accountName, type AccountId, type SecretReference } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/**
 * Keeps what the scheduler said about an account; a version that came late changes nothing. `secret` null withdraws
 * the account: nobody can register for it any more, and whoever uses its key is still told of changes.
 */
export async function declareAccount(
  trx: Trx,
  account: AccountId,
  {
    version,
    secret,
    onlyDeclared = false,
  }: { version: number; secret: SecretReference | null; onlyDeclared?: boolean },
): Promise<void> {
  const declared = {
    ...(secret === null ? {} : { secret: JSON.stringify(secret) }),
    declared_version: version,
    withdrawn: secret === null,
    only_declared: onlyDeclared,
  };
  await trx
    .insertInto('account')
    .values({ account, name: accountName(account), ...declared })
    .onConflict((conflict) =>
      conflict
        .column('account')
        .doUpdateSet(declared)
        .where('account.declared_version', '<', sql.lit(version)),
    )
    .execute();
}
