import type { Schedule } from '@twinkey/account';
import type { AccountId } from '@twinkey/contracts';
import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';

export interface Troubled {
  readonly account: AccountId;
  readonly schedule: Schedule;
  readonly trouble: string;
}

/**
 * Notes that Azure did not answer about accounts. One that was known before stays in care on its old terms: an
 * outage withdraws nobody. Locks in the order of the accounts' ids, see takeUnderCare.
 */
export async function noteTrouble(
  trx: InTransaction,
  troubled: readonly Troubled[],
  now: Date,
): Promise<void> {
  if (troubled.length === 0) return;
  await sql`
    insert into account (account, listed, presence, trouble, schedule, first_seen_at)
    select account, true, 'unread', trouble, schedule, ${now}
    from unnest(${troubled.map(({ account }) => account)}::text[],
                ${troubled.map(({ trouble }) => trouble)}::text[],
                ${troubled.map(({ schedule }) => JSON.stringify(schedule))}::jsonb[])
         as t (account, trouble, schedule)
    order by account
    on conflict (account) do update
    set listed = true, trouble = excluded.trouble
    where (account.listed, account.trouble) is distinct from (true, excluded.trouble)`.execute(trx);
}
