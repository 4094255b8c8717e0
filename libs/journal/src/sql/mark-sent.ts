import type { Client } from 'pg';
import type { StoredOutboxMessage } from '../outbox.js';

/**
 * Marks messages as sent and ends the turn. A crash before the commit leaves them waiting, and they are sent once
 * more under the same id. Marked and not deleted: see the table.
 */
export async function markSent(client: Client, messages: readonly StoredOutboxMessage[]): Promise<void> {
  // Together: a commit behind an update that failed takes back, and the update says why.
  await Promise.all([
    client.query({
      name: 'mark-sent',
      text: 'update outbox set sent_at = clock_timestamp() where seq = any ($1::bigint[])',
      values: [messages.map(({ seq }) => seq)],
    }),
    client.query('commit'),
  ]);
}
