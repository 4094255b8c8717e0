import { theOneThatCounts } from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import type { KnownUse } from '../keyless.js';
import { declarationsByConsumer } from './declarations.js';

import type { ConsoleTables } from './tables.js';

/** What the notifier told of the use of an account's key last, and who is declared to use it. */
export async function useOfKeys(db: Database<ConsoleTables>, account: string): Promise<KnownUse> {
  const row = await db.kysely
    .selectFrom('account')
    .select(['use_told', 'use_told_at'])
    .where('account', '=', account)
    .executeTakeFirst();
  const said = await declarationsByConsumer(db.kysely);
  const declared = [...said.values()].flatMap((each) => {
    const { declaration } = theOneThatCounts(each) ?? {};
    if (!declaration?.accounts.some((one) => one === account)) return [];
    const minimum = declaration.channel.kind === 'instances' ? declaration.minimumInstances : 0;
    return [{ consumer: declaration.consumer, minimum }];
  });
  return { told: row?.use_told ?? null, toldAt: row?.use_told_at ?? null, declared };
}
