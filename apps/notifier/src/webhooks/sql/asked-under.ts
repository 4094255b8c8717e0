import { sql } from 'kysely';
import type { ConsumerName } from '@twinkey/contracts';
import type { Trx } from '../../tables.js';

/** What was asked of an endpoint under this idempotency key. Until the transaction ends nobody else is told. */
export async function askedUnder(
  trx: Trx,
  consumer: ConsumerName,
  key: string,
): Promise<{ readonly asked: string; readonly delivery: number } | undefined> {
  const lock = JSON.stringify(['webhook', consumer, key]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(trx);
  const { rows } = await sql<{ asked: string; delivery: number }>`
    select data ->> 'asked' as asked, (data ->> 'delivery')::bigint as delivery
    from journal
    where stream = ${consumer} and type in ('webhook-test-asked', 'webhook-resend-asked') and data ->> 'key' = ${key}
    limit 1`.execute(trx);
  return rows[0];
}
