import { accountName, type AccountId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/** Makes the row of an account that nobody has declared yet; one that is there is left as it is. */
export async function keepAccount(trx: Trx, account: AccountId): Promise<void> {
  await trx
    .insertInto('account')
    .values({ account, name: accountName(account) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
