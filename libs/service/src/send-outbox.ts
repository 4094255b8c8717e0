import type { StoredOutboxMessage } from '@twinkey/journal';
import type { Bus, OutgoingMessage } from '@twinkey/service-bus';

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
    await Promise.all([...byEntity].map(([entity, batch]) => bus.send(entity, batch)));
  };
}
