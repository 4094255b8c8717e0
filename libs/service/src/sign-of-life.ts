import { RegistryEvent, writeMessage } from '@twinkey/contracts';
import { appendOutbox, type Database } from '@twinkey/journal';

const EVERY_MS = 15_000;

export interface Living {
  readonly name: 'scheduler' | 'rotator' | 'notifier';
  readonly database: Database;
  readonly clock: () => Date;
  /** 15 seconds unless told. */
  readonly everyMs?: number | undefined;
}

/**
 * Says now and then that a service does its rounds. Call it in every round; it speaks every 15 seconds unless
 * told otherwise. It goes the
 * way of every other message, through tables, outbox and bus, so that silence also means that nothing else gets
 * through.
 */
export function signOfLife({ name, database, clock, everyMs = EVERY_MS }: Living): () => Promise<void> {
  const startedAt = clock().toISOString();
  let nextAt = 0;
  return async () => {
    const now = clock();
    const version = now.getTime();
    if (version < nextAt) return;
    nextAt = version + everyMs;
    const body = writeMessage(RegistryEvent, {
      // Two replicas that say so in the same millisecond say the same thing.
      id: `service-alive-${name}-${version}`,
      source: `twinkey/${name}`,
      time: now,
      data: { version, at: now.toISOString(), what: { event: 'service-alive', service: name, startedAt } },
    });
    await database.kysely
      .transaction()
      .execute((trx) =>
        appendOutbox(trx, [{ id: body.id, entity: RegistryEvent.entity, body, orderKey: 'service-alive' }]),
      );
  };
}
