import type { ConsumerName } from '@twinkey/contracts';
import type { InTransaction } from '@twinkey/journal';
import { sql } from 'kysely';
import type { Resolved } from '../read-consumers.js';
import type { ConsumerRow } from '../tables.js';
import { nextVersion } from './next-version.js';

/** Keeps declarations; returns the rows that this changed. In the order of their names, see takeUnderCare. */
export async function declareConsumers(
  trx: InTransaction,
  declared: readonly Resolved[],
  now: Date,
): Promise<readonly ConsumerRow[]> {
  if (declared.length === 0) return [];
  const { rows } = await sql<ConsumerRow>`
    insert into consumer (consumer, declared, declared_version, declared_at)
    select consumer, declared, ${now.getTime()}::bigint, ${now}
    from unnest(${declared.map(({ declaration }) => declaration.consumer)}::text[],
                ${declared.map((one) => JSON.stringify(one))}::jsonb[]) as d (consumer, declared)
    order by consumer
    on conflict (consumer) do update
    set declared = excluded.declared, declared_version = ${nextVersion('consumer', now)}, declared_at = ${now}
    where consumer.declared is distinct from excluded.declared
    returning *`.execute(trx);
  return rows;
}

/** Withdraws whoever the file does not name any more. */
export async function withdrawConsumers(
  trx: InTransaction,
  named: readonly ConsumerName[],
  now: Date,
): Promise<readonly ConsumerRow[]> {
  const { rows } = await sql<ConsumerRow>`
    with gone as materialized (
      select consumer from consumer
      where declared is not null and consumer <> all (${[...named]}::text[])
      order by consumer for update
    )
    update consumer set declared = null, declared_version = ${nextVersion('consumer', now)}, declared_at = ${now}
    from gone where consumer.consumer = gone.consumer
    returning consumer.*`.execute(trx);
  return rows;
}

/** Consumers that were declared before `before`, under a new version as of now. */
export async function claimConsumersToRepeat(
  trx: InTransaction,
  { now, before, atMost }: { readonly now: Date; readonly before: Date; readonly atMost: number },
): Promise<readonly ConsumerRow[]> {
  const { rows } = await sql<ConsumerRow>`
    with claimed as materialized (
      select consumer from consumer
      where declared is not null and declared_at < ${before}
      order by declared_at limit ${atMost} for update skip locked
    )
    update consumer set declared_version = ${nextVersion('consumer', now)}, declared_at = ${now}
    from claimed where consumer.consumer = claimed.consumer
    returning consumer.*`.execute(trx);
  return rows;
}
