import type { AccountId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/** Removes the nudges of an account that this transaction has locked, and says how many there were. */
export async function takeNudges(trx: Trx, account: AccountId): Promise<number> {
  const { numDeletedRows } = await trx.deleteFrom('nudge').where('account', '=', account).executeTakeFirst();
  return Number(numDeletedRows);
}
