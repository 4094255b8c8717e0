// One attempt at a time per endpoint, whichever replica makes it; written down before the request leaves and after.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { InstanceId } from '@twinkey/contracts';
import type { SignatureKind } from '@twinkey/webhook';
import type { Queries, Trx } from '../../tables.js';
import type { AttemptOutcome, DeliveryRow, DeliveryState } from '../tables.js';
import { DECLARED } from './declared.js';

/** A delivery whose next attempt is this process's to make. */
export interface Claimed extends Pick<
  DeliveryRow,
  'delivery' | 'consumer' | 'event' | 'kind' | 'account' | 'generation' | 'body' | 'attempts' | 'tries'
> {
  readonly token: string;
  readonly url: string;
  readonly signature: SignatureKind;
  readonly secret: string | null;
  readonly instance: InstanceId;
  readonly boot: string;
}

interface Endpoint {
  consumer: string;
  url: string;
  signature: SignatureKind;
  secret: string | null;
  instance: InstanceId;
  boot: string;
}

/**
 * Takes the endpoint that waits longest, with its most urgent delivery, for `holdMs`; null when none is due or others
 * have them all. A process that is frozen for longer than that may still send beside its successor: receivers know the
 * event by its id.
 */
export async function claimAttempt(db: Queries, holdMs: number): Promise<Claimed | null> {
  const token = randomUUID();
  return db.transaction().execute(async (trx) => {
    const { rows: endpoints } = await sql<Endpoint>`
      select e.consumer, d.url, d.signature, d.secret, d.instance, d.boot
      from webhook_endpoint e join ${DECLARED} d on d.consumer = e.consumer
      where (e.busy_until is null or e.busy_until <= clock_timestamp())
        and (e.rest_until is null or e.rest_until <= clock_timestamp())
        and e.gone_url is distinct from d.url
        and exists (select from webhook_delivery w
                    where w.consumer = e.consumer and w.next_at <= clock_timestamp())
      order by (select min(next_at) from webhook_delivery w where w.consumer = e.consumer)
      limit 1 for update of e skip locked`.execute(trx);
    const [endpoint] = endpoints;
    if (endpoint === undefined) return null;
    const { consumer } = endpoint;
    const until = sql`clock_timestamp() + ${holdMs} * interval '1 millisecond'`;

    await sql`
      update webhook_attempt set ended_at = clock_timestamp(), outcome = 'lost',
             detail = 'The process that made the attempt ended with it.'
      where ended_at is null
        and delivery in (select delivery from webhook_delivery where consumer = ${consumer})`.execute(trx);
    // Whoever dies with the attempt leaves a delivery that is due as soon as the endpoint is free.
    const { rows: deliveries } = await sql<
      Omit<Claimed, 'token' | keyof Endpoint> & Pick<Claimed, 'consumer'>
    >`
      update webhook_delivery set attempts = attempts + 1, tries = tries + 1, next_at = ${until}
      where delivery = (
        select delivery from webhook_delivery
        where consumer = ${consumer} and next_at <= clock_timestamp()
        order by kind = 'test' desc, next_at, delivery limit 1)
      returning delivery, consumer, event, kind, account, generation, body, attempts, tries`.execute(trx);
    const [delivery] = deliveries;
    if (delivery === undefined) return null;
    await sql`
      insert into webhook_attempt (delivery, attempt, token)
      values (${delivery.delivery}, ${delivery.attempts}, ${token})`.execute(trx);
    await sql`
      update webhook_endpoint set busy_until = ${until}, busy_with = ${token}
      where consumer = ${consumer}`.execute(trx);
    return { ...endpoint, ...delivery, token };
  });
}

export interface Ended {
  readonly outcome: AttemptOutcome;
  readonly why: string | null;
  readonly status: number | null;
  readonly detail: string | null;
  readonly state: DeliveryState;
  readonly nextAt: number | null;
  /** The endpoint asked to be left alone until then. */
  readonly restUntil: number | null;
  /** It is gone for good. */
  readonly gone: boolean;
}

/** Writes down how an attempt ended, if it is still this process's; what became settled meanwhile stays so. */
export async function recordAttempt(trx: Trx, claimed: Claimed, ended: Ended): Promise<void> {
  const { delivery, attempts, token, consumer, url } = claimed;
  const { numAffectedRows = 0n } = await sql`
    update webhook_endpoint
    set busy_until = null, busy_with = null, rest_until = ${dateOf(ended.restUntil)},
        gone_url = case when ${ended.gone} then ${url} else gone_url end,
        gone_at = case when ${ended.gone} then clock_timestamp() else gone_at end
    where consumer = ${consumer} and busy_with = ${token}`.execute(trx);
  if (numAffectedRows === 0n) return;
  await sql`
    update webhook_attempt
    set ended_at = clock_timestamp(), outcome = ${ended.outcome}, why = ${ended.why}, status = ${ended.status},
        detail = ${ended.detail}
    where delivery = ${delivery} and attempt = ${attempts}`.execute(trx);
  await sql`
    update webhook_delivery
    set state = ${ended.state}, next_at = ${dateOf(ended.nextAt)},
        settled_at = case when ${ended.state} = 'waiting' then null else clock_timestamp() end
    where delivery = ${delivery} and state = 'waiting'`.execute(trx);
}

/** The deadline and the last moment of a delivery, for when it is tried again. */
export async function termsOf(
  trx: Trx,
  { delivery }: Claimed,
): Promise<{ deadlineAt: number; untilAt: number; now: number } | null> {
  const { rows } = await sql<{ deadline_at: Date; until_at: Date; now: Date }>`
    select deadline_at, until_at, clock_timestamp() as now
    from webhook_delivery where delivery = ${delivery}`.execute(trx);
  const [row] = rows;
  if (row === undefined) return null;
  return { deadlineAt: row.deadline_at.getTime(), untilAt: row.until_at.getTime(), now: row.now.getTime() };
}

function dateOf(moment: number | null): Date | null {
  return moment === null ? null : new Date(moment);
}
