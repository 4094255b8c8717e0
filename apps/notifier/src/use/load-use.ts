// What instances told of their use of keys, counted by account and consumer.
import { sql } from 'kysely';
import type {
  AccountId,
  ConsumerName,
  ConsumerUse,
  InstanceId,
  SwitchRefusal,
  Used,
} from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/** Times in milliseconds; those that are not known are null. */
export interface CountedUse {
  readonly account: AccountId;
  readonly consumer: ConsumerName;
  readonly live: number;
  readonly lapsed: number;
  readonly silent: number;
  readonly receiver: boolean;
  readonly used: Used | null;
  readonly shownAt: number | null;
  readonly quietSince: number | null;
  readonly lastSeenAt: number | null;
  readonly refusals: NonNullable<ConsumerUse['refusals']>;
}

/** Notes of each membership whether more keys were shown than at the last look. */
export async function noteShown(trx: Trx, accounts: readonly AccountId[]): Promise<void> {
  await sql`
    update membership m
    set shown = t.shown, shown_at = case when t.shown > coalesce(m.shown, 0) then t.seen_at else m.shown_at end
    from (
      select k.account, k.instance, i.seen_at, (u.used ->> 'key')::bigint + (u.used ->> 'token')::bigint as shown
      from membership k join instance i using (instance), lateral (select i.told -> k.account -> 'used' as used) u
      where k.account = any (${[...accounts]}::text[])
    ) t
    where m.account = t.account and m.instance = t.instance
      and t.shown is not null and m.shown is distinct from t.shown`.execute(trx);
}

interface Row {
  account: AccountId;
  consumer: ConsumerName;
  live: number;
  lapsed: number;
  silent: number;
  receiver: boolean;
  key: number | null;
  token: number | null;
  entra: number | null;
  bare: boolean | null;
  shown_at: Date | null;
  quiet_since: Date | null;
  seen_at: Date | null;
  refusals: (SwitchRefusal & { instance: InstanceId })[] | null;
}

/**
 * Counts them. A consumer is quiet since its last live instance started or was seen to show a key, and since one that
 * is gone did, or went without a word. `liveAfter`: leases that were over before are those of lapsed instances.
 */
export async function countUse(
  trx: Trx,
  accounts: readonly AccountId[],
  liveAfter: Date,
): Promise<readonly CountedUse[]> {
  const { rows } = await sql<Row>`
    with one as (
      select m.account, i.consumer, i.instance, i.seen_at, i.registered_at, m.shown, m.shown_at,
             i.channel in ('subscription', 'webhook') as receiver,
             i.lease_until >= ${liveAfter} as live,
             i.told -> m.account -> 'used' as used, i.told -> m.account -> 'refusal' as refusal
      from membership m join instance i using (instance)
      where m.account = any (${[...accounts]}::text[])
    ), counted as (
      select account, consumer,
             count(*) filter (where live) as live,
             count(*) filter (where not live) as lapsed,
             count(*) filter (where live and used is null) as silent,
             bool_or(receiver) as receiver,
             sum((used ->> 'key')::bigint) filter (where live) as key,
             sum((used ->> 'token')::bigint) filter (where live) as token,
             sum((used ->> 'entra')::bigint) filter (where live) as entra,
             bool_or((used ->> 'bare')::boolean) filter (where live) as bare,
             max(shown_at) as shown_at,
             max(greatest(registered_at, shown_at)) filter (where live and used is not null) as quiet_since,
             max(seen_at) as seen_at,
             json_agg(json_build_object('instance', instance, 'generation', refusal -> 'generation',
                                        'reason', refusal ->> 'reason') order by instance)
               filter (where live and refusal is not null) as refusals
      from one group by account, consumer
    )
    select account, consumer, coalesce(c.live, 0)::int as live, coalesce(c.lapsed, 0)::int as lapsed,
           coalesce(c.silent, 0)::int as silent, coalesce(c.receiver, false) as receiver,
           c.key::float8 as key, c.token::float8 as token, c.entra::float8 as entra, c.bare,
           greatest(c.shown_at, p.shown_at) as shown_at,
           case when c.quiet_since is not null
             then greatest(c.quiet_since, p.shown_at, p.silent_left_at) end as quiet_since,
           greatest(case when c.receiver then null else c.seen_at end, p.left_at) as seen_at, c.refusals
    from counted c
    full join (select * from past_use where account = any (${[...accounts]}::text[])) p using (account, consumer)
    order by account, consumer`.execute(trx);
  return rows.map(({ key, token, entra, bare, shown_at, quiet_since, seen_at, refusals, ...same }) => ({
    ...same,
    used: key === null ? null : { key, token: token ?? 0, entra: entra ?? 0, bare: bare ?? false },
    shownAt: shown_at?.getTime() ?? null,
    quietSince: quiet_since?.getTime() ?? null,
    lastSeenAt: seen_at?.getTime() ?? null,
    refusals: refusals ?? [],
  }));
}
