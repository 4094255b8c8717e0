import { sql, type Transaction } from 'kysely';
import type { ConsoleTables } from './tables.js';

/**
 * Whatever concerns one account is recorded one after the other: of two events that arrive together, the second
 * must see the first, or it would tell the rotation without it.
 */
export async function lockAccount(
  trx: Transaction<ConsoleTables>,
  account: string,
  name: string,
): Promise<void> {
  await trx
    .insertInto('account')
    .values({ account, name })
    .onConflict((conflict) => conflict.column('account').doNothing())
    .execute();
  await sql`select from account where account = ${account} for no key update`.execute(trx);
}
