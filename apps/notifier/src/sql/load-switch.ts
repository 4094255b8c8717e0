import type { AccountId } from '@twinkey/contracts';
import type { KeySwitch } from '@twinkey/key-switch';
import type { Queries } from '../tables.js';

/** The account's switch as it stands; null while nothing is published. */
export async function loadSwitch(db: Queries, account: AccountId): Promise<KeySwitch | null> {
  const row = await db
    .selectFrom('account')
    .select('switch')
    .where('account', '=', account)
    .executeTakeFirst();
  return row?.switch ?? null;
}
