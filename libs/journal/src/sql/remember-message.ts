import { sql } from 'kysely';
import type { InTransaction } from './in-transaction.js';

/**
 * The inbox: true when `handler` sees the message for the first time, false when it has handled it before.
 *
 * Two deliveries at the same time meet on the primary key: the second waits until the first transaction ends,
 * then learns of the row, or takes its place if it was rolled back. No row is locked otherwise.
 */
export async function rememberMessage(
  trx: InTransaction,
  handler: string,
  messageId: string,
): Promise<boolean> {
  const { rows } = await sql`
    insert into inbox (handler, message_id) values (${handler}, ${messageId})
    on conflict do nothing
    returning 1`.execute(trx);
  return rows.length === 1;
}
