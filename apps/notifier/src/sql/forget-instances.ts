import { sql } from 'kysely';
import type { InstanceId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

/**
 * Deletes instances and what they said; the journal remembers them, and what they had shown their accounts is kept by
 * consumer: one that comes back tomorrow may still need the key.
 */
export async function forgetInstances(trx: Trx, instances: readonly InstanceId[]): Promise<void> {
  if (instances.length === 0) return;
  await sql`
    insert into past_use (account, consumer, left_at, shown_at, silent_left_at)
    select m.account, i.consumer, clock_timestamp(),
           max(case when t.shown > coalesce(m.shown, 0) then i.seen_at else m.shown_at end),
           max(case when t.shown is null and m.acknowledged > 0 then clock_timestamp() end)
    from membership m join instance i using (instance),
         lateral (select i.told -> m.account -> 'used' as used) u,
         lateral (select (u.used ->> 'key')::bigint + (u.used ->> 'token')::bigint as shown) t
    where m.instance = any (${[...instances]}::text[]) and i.channel not in ('subscription', 'webhook')
    group by m.account, i.consumer
    order by m.account, i.consumer
    on conflict (account, consumer) do update
    set left_at = greatest(past_use.left_at, excluded.left_at),
        shown_at = greatest(past_use.shown_at, excluded.shown_at),
        silent_left_at = greatest(past_use.silent_left_at, excluded.silent_left_at)`.execute(trx);
  await trx.deleteFrom('instance').where('instance', 'in', instances).execute();
}
