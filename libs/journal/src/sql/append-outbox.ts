import { sql, type QueryExecutorProvider } from 'kysely';
import { markForCommit } from '../dialect.js';
import type { OutboxMessage } from '../outbox.js';
import { traced } from '../traceparent.js';
import { outboxColumns } from './columns.js';

/** A Kysely transaction of whatever tables. Outside of one, "together or not at all" would be an empty promise. */
export interface InTransaction extends QueryExecutorProvider {
  readonly isTransaction: true;
}

/**
 * Appends messages to the outbox; they are sent after the commit. A message whose id is there already, sent or
 * not, is left out.
 *
 * Locks nothing. Two transactions that append the same id at the same time wait for each other on the unique
 * index, and the second one's row is left out.
 */
export async function appendOutbox(trx: InTransaction, messages: readonly OutboxMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const c = outboxColumns(traced(messages));
  await sql`
    insert into outbox (id, entity, subject, body, traceparent, not_before, order_key)
    select id, entity, subject, body, traceparent, not_before, order_key
    from unnest(${c.id}::text[], ${c.entity}::text[], ${c.subject}::text[], ${c.body}::json[],
                ${c.traceparent}::text[], ${c.notBefore}::timestamptz[], ${c.orderKey}::text[])
         with ordinality as m (id, entity, subject, body, traceparent, not_before, order_key, n)
    order by n
    on conflict (id) do nothing`.execute(trx);
  await markForCommit(trx);
}
