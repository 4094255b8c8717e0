import { sql } from 'kysely';
import type { AccountId, ConsumerName, InstanceId } from '@twinkey/contracts';
import type { InstanceChannel, Trx } from '../tables.js';
import { forgetInstances } from './forget-instances.js';

/** Its lease: later than anything that people plan for, and still a date that PostgreSQL and JavaScript agree on. */
const FOREVER = new Date('9999-01-01T00:00:00Z');

/**
 * Writes the standing instance of a receiver with these accounts and no others. The accounts are held until the
 * commit, for the same reason as when a process registers: see register.ts. Returns the accounts that were taken out.
 */
export async function saveStanding(
  trx: Trx,
  {
    accounts,
    ...instance
  }: {
    readonly instance: InstanceId;
    readonly boot: string;
    readonly consumer: ConsumerName;
    readonly channel: InstanceChannel;
    readonly accounts: readonly AccountId[];
  },
  now: number,
): Promise<readonly AccountId[]> {
  const wanted = [...accounts].sort();
  await sql`select from account where account = any (${wanted}::text[]) order by account for share`.execute(
    trx,
  );
  const { channel } = instance;
  await trx
    .insertInto('instance')
    .values({
      ...instance,
      name: 'declared receiver',
      registered_at: new Date(now),
      seen_at: new Date(now),
      lease_until: FOREVER,
      lapsed_at: null,
      look_at: FOREVER,
      identity: null,
      voice: null,
    })
    .onConflict((conflict) => conflict.column('instance').doUpdateSet({ channel }))
    .execute();
  const { rows } = await sql<{ account: AccountId }>`
    delete from membership
    where instance = ${instance.instance} and account <> all (${wanted}::text[])
    returning account`.execute(trx);
  await sql`
    insert into membership (account, instance)
    select account, ${instance.instance} from unnest(${wanted}::text[]) as a (account)
    on conflict do nothing`.execute(trx);
  return rows.map(({ account }) => account);
}

/** Lets it leave; returns the accounts that it stood for. */
export async function dropStanding(trx: Trx, instance: InstanceId): Promise<readonly AccountId[]> {
  const rows = await trx
    .selectFrom('membership')
    .select('account')
    .where('instance', '=', instance)
    .execute();
  await forgetInstances(trx, [instance]);
  return rows.map(({ account }) => account);
}
