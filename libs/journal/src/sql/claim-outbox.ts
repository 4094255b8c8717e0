import type { Client } from 'pg';
import type { StoredOutboxMessage } from '../outbox.js';

/** Beside what backs off (`except`), or the messages of one key alone (`only`). */
export interface ClaimScope {
  readonly except: readonly string[];
  readonly only: string | null;
}

/**
 * Opens a transaction, takes the turn of this schema's outbox, and reads the oldest waiting messages; null when another
 * relay has the turn. The three go to the server together, as three statements: the last one's snapshot comes after the
 * lock, so that it sees what the last holder marked as sent.
 *
 * One relay at a time and not `for update skip locked`: of two relays that skip each other's rows the second would
 * send the later messages of a key first. The lock ends with the transaction, and so with a relay that dies; one
 * that is frozen loses it when idle_in_transaction_session_timeout strikes. The transaction takes no snapshot while
 * it waits for the broker, so it keeps nothing from being vacuumed.
 */
export async function takeTurn(
  client: Client,
  limit: number,
  { except, only }: ClaimScope,
): Promise<readonly StoredOutboxMessage[] | null> {
  const [, turn, waiting] = await Promise.all([
    client.query('begin'),
    client.query<{ mine: boolean }>(
      `select pg_try_advisory_xact_lock(hashtextextended(current_schema() || '.outbox', 0)) as mine`,
    ),
    client.query<OutboxRow>({
      name: 'claim-outbox',
      text: `
        select seq, id, entity, subject, body, traceparent, not_before, order_key, appended_at
        from outbox
        where sent_at is null and (not_before is null or not_before <= clock_timestamp())
          and order_key <> all ($2::text[]) and ($3::text is null or order_key = $3)
        order by seq limit $1`,
      values: [limit, except, only],
    }),
  ]);
  return turn.rows[0]?.mine === true ? waiting.rows.map(fromRow) : null;
}

interface OutboxRow {
  readonly seq: number;
  readonly id: string;
  readonly entity: string;
  readonly subject: string | null;
  readonly body: unknown;
  readonly traceparent: string | null;
  readonly not_before: Date | null;
  readonly order_key: string;
  readonly appended_at: Date;
}

function fromRow(row: OutboxRow): StoredOutboxMessage {
  return {
    seq: row.seq,
    id: row.id,
    entity: row.entity,
    body: row.body,
    orderKey: row.order_key,
    appendedAt: row.appended_at,
    ...(row.subject === null ? {} : { subject: row.subject }),
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    ...(row.not_before === null ? {} : { notBefore: row.not_before }),
  };
}
