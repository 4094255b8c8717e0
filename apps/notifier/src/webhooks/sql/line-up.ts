// Which deliveries there must be follows from declarations, memberships and switches; nothing has to remember to make one.
import { sql } from 'kysely';
import type { ConsumerName } from '@twinkey/contracts';
import type { KeySwitch } from '@twinkey/key-switch';
import type { Queries, Trx } from '../../tables.js';
import { DECLARED } from './declared.js';

export interface OwedDelivery {
  readonly consumer: ConsumerName;
  readonly current: KeySwitch;
  readonly traceparent: string | null;
  /** When the question was put. */
  readonly asked_at: Date | null;
  /** Of the consumer's own, counted from the question; null: it has the account's deadline. */
  readonly within: number | null;
}

/**
 * Announced switches that a declared endpoint was not told of yet, and has not acknowledged in some other way. What it
 * acknowledged before it was withdrawn counts for nothing when it is declared again.
 */
export async function owedDeliveries(db: Queries, limit: number): Promise<readonly OwedDelivery[]> {
  const { rows } = await sql<OwedDelivery>`
    select d.consumer, a.switch as current, a.traceparent, a.asked_at, d.within
    from ${DECLARED} d
    join membership m on m.instance = d.instance
    join account a on a.account = m.account
    where m.acknowledged < a.generation and (a.switch ->> 'announced')::boolean
      and not exists (
        select from webhook_delivery w
        where w.consumer = d.consumer and w.account = a.account and w.generation = a.generation
          and w.request = (a.switch ->> 'request')::integer and w.state not in ('acknowledged', 'withdrawn'))
    limit ${limit}`.execute(db);
  return rows;
}

export interface NewDelivery {
  readonly consumer: ConsumerName;
  readonly event: string;
  readonly kind: 'key-changed' | 'test';
  readonly body: string;
  readonly about: Pick<KeySwitch, 'account' | 'generation' | 'request'> | null;
  readonly deadlineAt: number;
  readonly untilAt: number;
  readonly askedBy: string | null;
}

/** Puts a message into the line of its endpoint, once more if it was withdrawn; null when it stands there already. */
export async function addDelivery(db: Queries, one: NewDelivery): Promise<number | null> {
  const { about } = one;
  const { rows } = await sql<{ delivery: number }>`
    insert into webhook_delivery
      (consumer, event, kind, account, generation, request, body, deadline_at, until_at, next_at, asked_by)
    values (${one.consumer}, ${one.event}, ${one.kind}, ${about?.account ?? null}, ${about?.generation ?? null},
            ${about?.request ?? null}, ${one.body}, ${new Date(one.deadlineAt)}, ${new Date(one.untilAt)},
            clock_timestamp(), ${one.askedBy})
    on conflict (consumer, event) do update
      set state = 'waiting', next_at = clock_timestamp(), tries = 0, settled_at = null, asked_by = null,
          deadline_at = excluded.deadline_at, until_at = excluded.until_at
      where webhook_delivery.state in ('acknowledged', 'withdrawn')
    returning delivery`.execute(db);
  return rows[0]?.delivery ?? null;
}

/** Whether anybody is told by webhook, or was and has something in the line. */
export async function areInUse(db: Queries): Promise<boolean> {
  const { rows } = await sql<{ used: boolean }>`
    select exists (select from ${DECLARED} d)
        or exists (select from webhook_delivery where next_at is not null) as used`.execute(db);
  return rows[0]?.used ?? false;
}

/** Each declared endpoint has a row that an attempt can take. */
export async function keepEndpoints(db: Queries): Promise<void> {
  await sql`
    insert into webhook_endpoint (consumer)
    select consumer from ${DECLARED} d
    where not exists (select from webhook_endpoint e where e.consumer = d.consumer)
    on conflict do nothing`.execute(db);
}

/** Takes out of the line what needs no attempt any more; what a person asked for is sent once, even so. */
export async function settleDeliveries(db: Queries): Promise<void> {
  await sql`
    update webhook_delivery w
    set state = s.state, next_at = null, settled_at = clock_timestamp()
    from (
      select w.delivery,
             case when d.consumer is null or (w.kind = 'key-changed' and m.instance is null) then 'withdrawn'
                  when w.asked_by is not null and w.tries = 0 then null
                  when m.acknowledged >= w.generation then 'acknowledged'
                  when a.generation > w.generation
                    or (a.switch ->> 'request')::integer > w.request then 'superseded'
             end as state
      from webhook_delivery w
      left join ${DECLARED} d on d.consumer = w.consumer
      left join membership m on m.instance = d.instance and m.account = w.account
      left join account a on a.account = w.account
      where w.next_at is not null) s
    where s.delivery = w.delivery and s.state is not null and w.next_at is not null`.execute(db);
}

/** Puts a delivery back into the line, whatever became of it, and lets its endpoint hear again. False: there is none. */
export async function requeue(
  trx: Trx,
  { consumer, delivery, by, forMs }: { consumer: ConsumerName; delivery: number; by: string; forMs: number },
): Promise<boolean> {
  const { numAffectedRows = 0n } = await sql`
    update webhook_delivery
    set state = 'waiting', next_at = clock_timestamp(), tries = 0, settled_at = null, asked_by = ${by},
        until_at = greatest(until_at, clock_timestamp() + ${forMs} * interval '1 millisecond')
    where consumer = ${consumer} and delivery = ${delivery}`.execute(trx);
  if (numAffectedRows > 0n) await hearAgain(trx, consumer);
  return numAffectedRows > 0n;
}

/** A person says that the endpoint is to be asked, although it was gone or wanted to be left alone. */
export async function hearAgain(db: Queries, consumer: ConsumerName): Promise<void> {
  await sql`
    update webhook_endpoint set gone_url = null, gone_at = null, rest_until = null
    where consumer = ${consumer}`.execute(db);
}

/** Forgets deliveries that were settled long ago, some at a time. */
export async function forgetDeliveries(db: Queries, keepMs: number): Promise<void> {
  await sql`
    delete from webhook_delivery where delivery in (
      select delivery from webhook_delivery
      where next_at is null and settled_at < clock_timestamp() - ${keepMs} * interval '1 millisecond'
      limit 1000 for update skip locked)`.execute(db);
}
