import type { Presence, Schedule } from '@twinkey/account';
import type { AccountId, AccountSettings } from '@twinkey/contracts';
import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';
import type { AccountRow } from '../tables.js';
import { nextVersion } from './next-version.js';

export interface Sighted {
  readonly account: AccountId;
  readonly presence: Presence & ('here' | 'keys-disabled');
  readonly settings: AccountSettings;
  readonly schedule: Schedule;
}

/**
 * Takes accounts under care on the given terms. Returns the rows that this changed, with their new version; an
 * account whose terms were the same already is neither written nor returned.
 *
 * Locks in the order of the accounts' ids: two schedulers that do this at once wait for each other instead of
 * locking each other up, and the second finds nothing left to change.
 */
export async function takeUnderCare(
  trx: InTransaction,
  sighted: readonly Sighted[],
  now: Date,
): Promise<readonly AccountRow[]> {
  if (sighted.length === 0) return [];
  const { rows } = await sql<AccountRow>`
    insert into account (account, listed, presence, settings, schedule, first_seen_at, declared_version, declared_at)
    select account, true, presence, settings, schedule, ${now}, ${now.getTime()}::bigint, ${now}
    from unnest(${sighted.map(({ account }) => account)}::text[],
                ${sighted.map(({ presence }) => presence)}::text[],
                ${sighted.map(({ settings }) => JSON.stringify(settings))}::jsonb[],
                ${sighted.map(({ schedule }) => JSON.stringify(schedule))}::jsonb[])
         as s (account, presence, settings, schedule)
    order by account
    on conflict (account) do update
    set listed = true, presence = excluded.presence, trouble = null, settings = excluded.settings,
        schedule = excluded.schedule, declared_version = ${nextVersion('account', now)}, declared_at = ${now}
    where (account.listed, account.presence, account.trouble, account.settings, account.schedule)
          is distinct from (true, excluded.presence, null::text, excluded.settings, excluded.schedule)
    returning *`.execute(trx);
  return rows;
}
