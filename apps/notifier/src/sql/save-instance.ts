import { sql } from 'kysely';
import type { AccountId, ConsumerName, InstanceId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

export interface NewInstance {
  readonly instance: InstanceId;
  readonly consumer: ConsumerName;
  readonly name: string;
  readonly boot: string;
  readonly channel: 'service-bus' | 'heartbeat';
  readonly accounts: readonly AccountId[];
  readonly identity: string | null;
  readonly voice: Buffer | null;
}

/**
 * Writes a registration. The instance's id is derived from consumer and boot, so the row that may be there is of
 * the same process, whose answer was lost: its lease is renewed and it gets the accounts that it did not have.
 */
export async function saveInstance(
  trx: Trx,
  { accounts, ...instance }: NewInstance,
  { now, leaseUntil, lookAt }: { now: Date; leaseUntil: Date; lookAt: Date },
): Promise<void> {
  const times = { seen_at: now, lease_until: leaseUntil, lapsed_at: null, look_at: lookAt };
  await trx
    .insertInto('consumer')
    .values({ consumer: instance.consumer })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await trx
    .insertInto('instance')
    .values({ ...instance, registered_at: now, ...times })
    .onConflict((conflict) =>
      conflict.column('instance').doUpdateSet({
        ...times,
        name: instance.name,
        channel: instance.channel,
        identity: instance.identity,
        voice: instance.voice,
      }),
    )
    .execute();
  await sql`
    insert into membership (account, instance)
    select account, ${instance.instance} from unnest(${[...accounts]}::text[]) as a (account)
    on conflict do nothing`.execute(trx);
}
