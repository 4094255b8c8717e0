// Which accounts' use of keys is to be looked at, and what was told of each.
import { sql } from 'kysely';
import type { AccountId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

export interface ReportedUse {
  readonly account: AccountId;
  readonly reported: string | null;
  readonly reportedAt: number | null;
  readonly version: number;
}

/** Accounts whose time has come, with the others left to other replicas; they are due again after `everyMs`. */
export async function claimUses(trx: Trx, everyMs: number, atMost: number): Promise<readonly ReportedUse[]> {
  await sql`
    insert into account_use (account)
    select account from account a where not exists (select from account_use u where u.account = a.account)
    on conflict do nothing`.execute(trx);
  const { rows } = await sql<Omit<ReportedUse, 'reportedAt'> & { reported_at: Date | null }>`
    with due as materialized (
      select account from account_use where look_at <= clock_timestamp()
      order by look_at limit ${atMost} for update skip locked
    )
    update account_use u set look_at = clock_timestamp() + ${everyMs} * interval '1 millisecond'
    from due where u.account = due.account
    returning u.account, u.reported, u.reported_at, u.version`.execute(trx);
  return rows.map(({ reported_at, ...same }) => ({ ...same, reportedAt: reported_at?.getTime() ?? null }));
}

/** Notes what was told. The version never falls behind the clock, so that a restored database is heard again. */
export async function noteReported(
  trx: Trx,
  account: AccountId,
  reported: string,
  now: number,
): Promise<number> {
  const { rows } = await sql<{ version: number }>`
    update account_use
    set reported = ${reported}, reported_at = ${new Date(now)}, version = greatest(version + 1, ${now}::bigint)
    where account = ${account} returning version`.execute(trx);
  const [row] = rows;
  if (row === undefined) throw new Error('An account that was claimed is gone.');
  return row.version;
}

/** Forgets consumers of which nothing was seen for so long that nobody expects them back. */
export async function forgetPastUse(trx: Trx, before: Date): Promise<void> {
  await sql`delete from past_use where left_at < ${before}`.execute(trx);
}
