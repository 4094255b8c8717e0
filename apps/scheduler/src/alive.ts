import { RegistryEvent, writeMessage } from '@twinkey/contracts';
import { appendOutbox } from '@twinkey/journal';
import type { SchedulerDatabase } from './tables.js';

const EVERY_MS = 15_000;

/**
 * Says now and then that a scheduler ticks. It goes the way of every other message, through tables, outbox and
 * bus, so that silence means that due rotations are not asked for either.
 */
export function signOfLife(database: SchedulerDatabase, startedAt: Date): (now: Date) => Promise<void> {
  let nextAt = 0;
  return async (now) => {
    const version = now.getTime();
    if (version < nextAt) return;
    nextAt = version + EVERY_MS;
    const body = writeMessage(RegistryEvent, {
      // Two schedulers that say so in the same millisecond say the same thing.
      id: `service-alive-scheduler-${version}`,
      source: 'twinkey/scheduler',
      time: now,
      data: {
        version,
        at: now.toISOString(),
        what: { event: 'service-alive', service: 'scheduler', startedAt: startedAt.toISOString() },
      },
    });
    await database.kysely
      .transaction()
      .execute((trx) =>
        appendOutbox(trx, [{ id: body.id, entity: RegistryEvent.entity, body, orderKey: 'service-alive' }]),
      );
  };
}
