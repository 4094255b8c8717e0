import type { AccountId, Generation } from '@twinkey/contracts';
import type { Queries } from '../tables.js';

/** The generation that the account's switch is about; 0 while nothing is published as far as we know. */
export async function publishedGeneration(db: Queries, account: AccountId): Promise<Generation> {
  const row = await db
    .selectFrom('account')
    .select('generation')
    .where('account', '=', account)
    .executeTakeFirst();
  return row?.generation ?? (0 as Generation);
}
