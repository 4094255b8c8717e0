import {
  accountName,
  type AccountId,
  type ConsumerName,
  type InstanceId,
  type SwitchRefusal,
  type Used,
} from '@twinkey/contracts';
import { sql } from 'kysely';
import type { Queries } from '../tables.js';

/** What an instance told of itself and one account with its last heartbeat. */
export interface Told {
  readonly used?: Used | undefined;
  readonly refusal?: SwitchRefusal | undefined;
}

export async function toldAbout(db: Queries, account: AccountId): Promise<ReadonlyMap<InstanceId, Told>> {
  const { rows } = await sql<{ instance: InstanceId; told: Told }>`
    select instance, told -> ${account} as told
    from instance join membership using (instance)
    where account = ${account} and told -> ${account} is not null`.execute(db);
  return new Map(rows.map(({ instance, told }) => [instance, told]));
}

export interface ToldByConsumer {
  /** Summed up over instances and accounts. */
  readonly used?: Used;
  readonly refusals: readonly (SwitchRefusal & { readonly account: string; readonly instance: InstanceId })[];
}

/** What all instances told, by consumer. */
export async function toldByConsumers(db: Queries): Promise<ReadonlyMap<ConsumerName, ToldByConsumer>> {
  const { rows } = await sql<{
    consumer: ConsumerName;
    instance: InstanceId;
    account: AccountId;
    told: Told;
  }>`
    select consumer, instance, each.key as account, each.value as told
    from instance, json_each(told) each
    where told is not null
    order by consumer, each.key, instance`.execute(db);
  const consumers = new Map<ConsumerName, ToldByConsumer>();
  for (const { consumer, instance, account, told } of rows) {
    const { used, refusals } = consumers.get(consumer) ?? { refusals: [] };
    const sum = told.used === undefined ? used : plus(used, told.used);
    const refusal =
      told.refusal === undefined ? [] : [{ ...told.refusal, account: accountName(account), instance }];
    consumers.set(consumer, {
      ...(sum === undefined ? {} : { used: sum }),
      refusals: [...refusals, ...refusal],
    });
  }
  return consumers;
}

function plus(one: Used | undefined, other: Used): Used {
  if (one === undefined) return other;
  return {
    key: one.key + other.key,
    token: one.token + other.token,
    entra: one.entra + other.entra,
    bare: one.bare || other.bare,
  };
}
