import { sql } from 'kysely';
import type { ConsumerName } from '@twinkey/contracts';
import type { Queries } from '../tables.js';

export interface CountedConsumer {
  readonly consumer: ConsumerName;
  readonly live: number;
  readonly lapsed: number;
  readonly accounts: readonly string[];
  readonly lastSeenAt: number | null;
}

/** Every consumer with its instances counted; those whose lease was over before `lapsedBefore` count as lapsed. */
export async function loadConsumers(db: Queries, lapsedBefore: number): Promise<readonly CountedConsumer[]> {
  const since = new Date(lapsedBefore);
  const { rows } = await sql<Omit<CountedConsumer, 'lastSeenAt'> & { seen_at: Date | null }>`
    select c.consumer, coalesce(i.live, 0) as live, coalesce(i.lapsed, 0) as lapsed, i.seen_at,
           array(select distinct a.name
                 from instance n join membership m using (instance) join account a using (account)
                 where n.consumer = c.consumer order by a.name) as accounts
    from consumer c
    left join (select consumer,
                      count(*) filter (where lease_until >= ${since}) as live,
                      count(*) filter (where lease_until < ${since}) as lapsed,
                      max(seen_at) as seen_at
               from instance group by consumer) i using (consumer)
    order by c.consumer`.execute(db);
  return rows.map(({ seen_at, ...counted }) => ({ ...counted, lastSeenAt: seen_at?.getTime() ?? null }));
}
