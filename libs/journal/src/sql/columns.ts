import type { JournalEvent } from '../change.js';
import type { OutboxMessage } from '../outbox.js';

// Rows travel as one array per column: the statement text, and with it the prepared plan, stays the same
// whatever their number.

export function outboxColumns(messages: readonly OutboxMessage[]) {
  return {
    id: messages.map((m) => m.id),
    entity: messages.map((m) => m.entity),
    subject: messages.map((m) => m.subject ?? null),
    body: messages.map((m) => toJson(m.body)),
    traceparent: messages.map((m) => m.traceparent ?? null),
    notBefore: messages.map((m) => m.notBefore?.toISOString() ?? null),
    orderKey: messages.map((m) => m.orderKey),
  };
}

export function eventColumns(events: readonly JournalEvent[]) {
  return {
    type: events.map((e) => e.type),
    data: events.map((e) => toJson(e.data)),
    at: events.map((e) => e.at.toISOString()),
  };
}

/** JSON knows no undefined; as a whole document it becomes null. */
export function toJson(value: unknown): string {
  const text: unknown = JSON.stringify(value);
  return typeof text === 'string' ? text : 'null';
}
