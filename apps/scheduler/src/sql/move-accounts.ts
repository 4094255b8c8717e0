import type { Observed } from '@twinkey/account';
import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';

export interface Moved {
  readonly observed: Observed;
  readonly lookAt: Date | null;
}

/** Writes what is known now of accounts whose rows this transaction has locked. */
export async function moveAccounts(trx: InTransaction, moved: readonly Moved[]): Promise<void> {
  if (moved.length === 0) return;
  const observed = moved.map((each) => each.observed);
  const completed = observed.map(({ lastCompletedAt }) =>
    lastCompletedAt === null ? null : new Date(lastCompletedAt),
  );
  await sql`
    update account
    set open_rotation = m.open_rotation, heard = m.heard, last_completed_at = m.last_completed_at,
        look_at = m.look_at
    from unnest(${observed.map(({ account }) => account)}::text[],
                ${observed.map(({ open }) => (open === null ? null : JSON.stringify(open)))}::jsonb[],
                ${observed.map(({ heard }) => heard)}::bigint[],
                ${completed}::timestamptz[],
                ${moved.map(({ lookAt }) => lookAt)}::timestamptz[])
         as m (account, open_rotation, heard, last_completed_at, look_at)
    where account.account = m.account`.execute(trx);
}
