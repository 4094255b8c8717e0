import type { AccountId } from '@twinkey/contracts';
import type { KeySwitch } from '@twinkey/key-switch';
import type { Asked } from '../declared/expectations.js';
import type { Queries } from '../tables.js';

/** The account's switch as it stands, null while nothing is published, and how it was asked for. */
export async function loadSwitch(
  db: Queries,
  account: AccountId,
): Promise<Asked & { readonly current: KeySwitch | null }> {
  const row = await db
    .selectFrom('account')
    .select(['switch', 'asked_at', 'on_overdue'])
    .where('account', '=', account)
    .executeTakeFirst();
  return {
    current: row?.switch ?? null,
    askedAt: row?.asked_at?.getTime() ?? null,
    onOverdue: row?.on_overdue ?? null,
  };
}
