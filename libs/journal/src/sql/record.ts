// What a transaction says in the end: to the journal, to the outbox, and what changes with it. By one statement, for each
// exchange with the database costs as much as the work that it asks for.
import { sql, type RawBuilder } from 'kysely';
import type { JournalEvent } from '../change.js';
import { markForCommit, recordForCommit } from '../dialect.js';
import type { OutboxMessage } from '../outbox.js';
import { traced } from '../traceparent.js';
import { eventColumns, outboxColumns } from './columns.js';
import type { InTransaction } from './in-transaction.js';

/** Events of one stream. */
export interface StreamEvents {
  readonly stream: string;
  readonly events: readonly JournalEvent[];
}

export interface Recording {
  /**
   * For streams that have no row of their own (the Writer is for those that have). Whoever appends to a stream is expected
   * to hold a lock on what the events are about, else two writers' events may become visible in another order than
   * their numbers.
   */
  readonly events?: readonly StreamEvents[];
  /**
   * Sent after the commit. One whose id is there already, sent or not, is left out; two transactions that append the same
   * id at the same time wait for each other on the unique index.
   */
  readonly messages?: readonly OutboxMessage[];
  /**
   * Statements that change what the events are about, and return nothing. They and the records see the tables as they
   * were before any of them.
   */
  readonly changes?: readonly RawBuilder<unknown>[];
}

/** Adds events and messages, and makes the changes that belong to them. Locks nothing but what the changes lock. */
export async function record(
  trx: InTransaction,
  { events = [], messages = [], changes = [] }: Recording,
): Promise<void> {
  const told = events.filter((stream) => stream.events.length > 0);
  const parts = [
    ...changes,
    ...(told.length === 0 ? [] : [insertEvents(told)]),
    ...(messages.length === 0 ? [] : [insertMessages(messages)]),
  ];
  const last = parts.pop();
  if (last === undefined) return;
  const before = parts.map((part, index) => sql`${sql.ref(`part_${index}`)} as (${part})`);
  await (before.length === 0 ? last : sql`with ${sql.join(before)} ${last}`).execute(trx);
  for (const stream of told) await recordForCommit(trx, stream);
  if (messages.length > 0) await markForCommit(trx);
}

function insertEvents(of: readonly StreamEvents[]): RawBuilder<unknown> {
  const streams = of.flatMap(({ stream, events }) => events.map(() => stream));
  const c = eventColumns(of.flatMap(({ events }) => events));
  return sql`
    insert into journal (stream, type, data, at)
    select stream, type, data, at
    from unnest(${streams}::text[], ${c.type}::text[], ${c.data}::json[], ${c.at}::timestamptz[])
         with ordinality as e (stream, type, data, at, n)
    order by n`;
}

function insertMessages(messages: readonly OutboxMessage[]): RawBuilder<unknown> {
  const c = outboxColumns(traced(messages));
  return sql`
    insert into outbox (id, entity, subject, body, traceparent, not_before, order_key)
    select id, entity, subject, body, traceparent, not_before, order_key
    from unnest(${c.id}::text[], ${c.entity}::text[], ${c.subject}::text[], ${c.body}::json[],
                ${c.traceparent}::text[], ${c.notBefore}::timestamptz[], ${c.orderKey}::text[])
         with ordinality as m (id, entity, subject, body, traceparent, not_before, order_key, n)
    order by n
    on conflict (id) do nothing`;
}
