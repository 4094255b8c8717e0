import { sql } from 'kysely';
import type { AccountId, ConsumerName, Generation } from '@twinkey/contracts';
import type { SignatureKind } from '@twinkey/webhook';
import type { Queries } from '../../tables.js';
import type { AttemptOutcome, DeliveryRow } from '../tables.js';
import { DECLARED } from './declared.js';

export interface EndpointRow {
  readonly consumer: ConsumerName;
  readonly url: string;
  readonly signature: SignatureKind;
  readonly secret: string | null;
  readonly accounts: readonly AccountId[];
  readonly gone_at: Date | null;
  readonly rest_until: Date | null;
  readonly waiting: number;
  /** Of the oldest message that was tried and is still waiting. */
  readonly failing_since: Date | null;
  readonly delivered_at: Date | null;
}

/** All declared endpoints, or one. */
export async function loadEndpoints(db: Queries, consumer?: string): Promise<readonly EndpointRow[]> {
  const { rows } = await sql<EndpointRow>`
    select d.consumer, d.url, d.signature, d.secret,
           array(select m.account from membership m where m.instance = d.instance order by m.account) as accounts,
           case when e.gone_url = d.url then e.gone_at end as gone_at,
           case when e.rest_until > clock_timestamp() then e.rest_until end as rest_until,
           (select count(*) from webhook_delivery w
            where w.consumer = d.consumer and w.next_at is not null) as waiting,
           (select min(t.begun_at) from webhook_delivery w join webhook_attempt t using (delivery)
            where w.consumer = d.consumer and w.next_at is not null and t.ended_at is not null) as failing_since,
           (select max(w.settled_at) from webhook_delivery w
            where w.consumer = d.consumer and w.state in ('acknowledged', 'delivered')) as delivered_at
    from ${DECLARED} d left join webhook_endpoint e on e.consumer = d.consumer
    where ${consumer ?? null}::text is null or d.consumer = ${consumer ?? null}
    order by d.consumer`.execute(db);
  return rows;
}

export interface LoggedAttempt {
  readonly attempt: number;
  readonly begun_at: string;
  readonly ended_at: string | null;
  readonly outcome: AttemptOutcome | null;
  readonly why: string | null;
  readonly status: number | null;
  readonly detail: string | null;
}

export type LoggedDelivery = Omit<DeliveryRow, 'body' | 'until_at' | 'tries'> & {
  readonly account: AccountId | null;
  readonly generation: Generation | null;
  readonly log: readonly LoggedAttempt[];
};

/** The latest deliveries to an endpoint, newest first, each with its latest attempts. */
export async function loadDeliveries(
  db: Queries,
  consumer: string,
  { limit, delivery }: { readonly limit: number; readonly delivery?: number | undefined },
): Promise<readonly LoggedDelivery[]> {
  const { rows } = await sql<LoggedDelivery>`
    select w.delivery, w.consumer, w.event, w.kind, w.account, w.generation, w.state, w.created_at, w.deadline_at,
           w.next_at, w.attempts, w.settled_at, w.asked_by,
           coalesce((select json_agg(t order by t.attempt)
                     from (select attempt, begun_at, ended_at, outcome, why, status, detail from webhook_attempt
                           where delivery = w.delivery order by attempt desc limit 10) t), '[]'::json) as log
    from webhook_delivery w
    where w.consumer = ${consumer} and (${delivery ?? null}::bigint is null or w.delivery = ${delivery ?? null})
    order by w.delivery desc limit ${limit}`.execute(db);
  return rows;
}
