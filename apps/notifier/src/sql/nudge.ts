import type { AccountId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/** Asks whoever looks next to look at these accounts. Waits for nobody. */
export async function nudge(trx: Trx, accounts: readonly AccountId[]): Promise<void> {
  if (accounts.length === 0) return;
  await trx
    .insertInto('nudge')
    .values(accounts.map((account) => ({ account })))
    .execute();
}
