import type { StoredOutboxMessage } from '@twinkey/journal';
import type { Bus, OutgoingMessage } from '@twinkey/service-bus';
import { isTracing, span } from './traces/span.js';

/** Hands messages of the outbox to the bus: entities side by side, those of one entity in the order given. */
export function sendOutbox(bus: Bus): (messages: readonly StoredOutboxMessage[]) => Promise<void> {
  return async (messages) => {
    const byEntity = new Map<string, OutgoingMessage[]>();
    for (const { id, entity, subject, body, traceparent } of messages) {
      const batch = byEntity.get(entity) ?? [];
      byEntity.set(entity, batch);
      batch.push({
        id,
        body,
        ...(subject === undefined ? {} : { subject }),
        ...(traceparent === undefined ? {} : { traceparent }),
      });
    }
    await Promise.all(
      [...byEntity].map(([entity, batch]) => traceSending(entity, batch, () => bus.send(entity, batch))),
    );
  };
}

/** One span for each message that belongs to a trace: they leave together, and each in the trace of its own. */
function traceSending(
  entity: string,
  batch: readonly OutgoingMessage[],
  send: () => Promise<void>,
): Promise<void> {
  if (!isTracing()) return send();
  return batch
    .filter(({ traceparent }) => traceparent !== undefined)
    .reduceRight<() => Promise<void>>(
      (rest, { id, traceparent }) =>
        () =>
          span(`send ${entity}`, { traceparent, kind: 'producer' }, { 'messaging.message.id': id }, rest),
      send,
    )();
}
