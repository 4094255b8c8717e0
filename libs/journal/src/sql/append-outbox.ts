import type { OutboxMessage } from '../outbox.js';
import type { InTransaction } from './in-transaction.js';
import { record } from './record.js';

/** Appends messages to the outbox: what `record` promises of messages. */
export function appendOutbox(trx: InTransaction, messages: readonly OutboxMessage[]): Promise<void> {
  return record(trx, { messages });
}
