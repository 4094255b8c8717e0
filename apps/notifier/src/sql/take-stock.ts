// All that a look at an account is about, by one statement.
import { sql } from 'kysely';
import type { AccountId, ConsumerDeclaration } from '@twinkey/contracts';
import type { Instance } from '@twinkey/key-switch';
import type { Trx } from '../tables.js';

export interface Stock {
  /** How often somebody asked for this look. */
  readonly nudges: number;
  /** The declared consumers of the account. */
  readonly declared: readonly ConsumerDeclaration[];
  readonly instances: readonly Instance[];
  /** The time of the database, in milliseconds, and no earlier than what was read. */
  readonly at: number;
}

/**
 * Takes the nudges of an account that this transaction has locked, and reads what is known of its consumers. Both from
 * one snapshot: whatever commits later leaves its nudge behind.
 *
 * As JSON, moments in milliseconds: the driver takes four times as long for the rows of a thousand instances.
 */
export async function takeStock(trx: Trx, account: AccountId): Promise<Stock> {
  const { rows } = await sql<Omit<Stock, 'at'> & { at: Date }>`
    with taken as (delete from nudge where account = ${account} returning 1)
    select (select count(*)::int from taken) as nudges,
      coalesce(
        (select json_agg(declaration order by consumer)
         from expectation join consumer using (consumer)
         where account = ${account} and declaration is not null),
        '[]') as declared,
      coalesce(
        (select json_agg(json_build_object(
           'instance', instance, 'consumer', consumer, 'boot', boot,
           'registeredAt', ${inMs('registered_at')}, 'seenAt', ${inMs('seen_at')},
           'leaseUntil', ${inMs('lease_until')}, 'drainedAt', ${inMs('drained_at')},
           'acknowledged', acknowledged, 'gone', false))
         from membership join instance using (instance)
         where account = ${account}),
        '[]') as instances,
      clock_timestamp() as at`.execute(trx);
  const [stock] = rows;
  if (stock === undefined) throw new Error('A select without a table has a row.');
  return { ...stock, at: stock.at.getTime() };
}

const inMs = (column: string) => sql`floor(extract(epoch from ${sql.ref(column)}) * 1000)`;
