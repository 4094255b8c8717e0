// The named subscriptions of declared receivers. Those of instances expire by themselves; these never do.
import { keyChangedTopic, shardOf, type ConsumerDeclaration, type ConsumerName } from '@twinkey/contracts';
import { sql } from 'kysely';
import type { Shell } from '../shell.js';
import type { Subscription } from '../subscriptions.js';
import type { Trx } from '../tables.js';

const removedPerRound = 10;

/** One of that name on each topic that announces any of the receiver's accounts. */
export function durableFor(declaration: ConsumerDeclaration | null, shards: number): readonly Subscription[] {
  if (declaration?.channel.kind !== 'subscription') return [];
  const { name: subscription } = declaration.channel;
  const topics = new Set(declaration.accounts.map((account) => keyChangedTopic(shardOf(account, shards))));
  return [...topics].sort().map((topic) => ({ topic, subscription }));
}

/** Makes them, or throws: a receiver has no heartbeat to learn of a change from while the broker is away. */
export async function ensureDurable(
  { subscriptions }: Shell,
  wanted: readonly Subscription[],
): Promise<void> {
  for (const { topic, subscription } of wanted) await subscriptions.ensure(topic, subscription);
}

/** Notes which ones a consumer has; those that it has no longer are removed by the next round. */
export async function keepDurable(
  trx: Trx,
  consumer: ConsumerName,
  wanted: readonly Subscription[],
): Promise<void> {
  const topics = wanted.map(({ topic }) => topic);
  const names = wanted.map(({ subscription }) => subscription);
  await sql`
    update durable_subscription set unwanted_since = clock_timestamp()
    where consumer = ${consumer} and unwanted_since is null
      and (topic, subscription) not in (select * from unnest(${topics}::text[], ${names}::text[]))`.execute(
    trx,
  );
  await sql`
    insert into durable_subscription (topic, subscription, consumer)
    select topic, subscription, ${consumer} from unnest(${topics}::text[], ${names}::text[]) as w (topic, subscription)
    on conflict (topic, subscription) do update set consumer = excluded.consumer, unwanted_since = null`.execute(
    trx,
  );
}

/** Removes what nobody wants any more. What the broker refuses now is tried again with the next round. */
export async function removeUnwanted({ db, subscriptions, log }: Shell): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<Subscription & { consumer: ConsumerName }>`
      select topic, subscription, consumer from durable_subscription
      where unwanted_since is not null order by unwanted_since limit ${removedPerRound}
      for update skip locked`.execute(trx);
    for (const { topic, subscription, consumer } of rows) {
      await subscriptions.remove(topic, subscription);
      await sql`delete from durable_subscription where topic = ${topic} and subscription = ${subscription}`.execute(
        trx,
      );
      log.info({ topic, subscription, consumer }, 'The subscription of a receiver was removed');
    }
  });
}
