import { RegistryEvent, writeMessage } from '@twinkey/contracts';
import { appendOutbox } from '@twinkey/journal';
import type { Shell } from './shell.js';
import { databaseTime } from './sql/load-instances.js';

/** How often a notifier says that it lives. */
export const ALIVE_EVERY_MS = 15_000;

/**
 * Says that a notifier lives. It goes the way of every other message, through tables, outbox and bus, so that
 * silence means that announcements do not get through either.
 */
export async function signOfLife({ db }: Shell, startedAt: Date): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const now = await databaseTime(trx);
    const at = new Date(now);
    const body = writeMessage(RegistryEvent, {
      // Two replicas that say so in the same millisecond say the same thing.
      id: `service-alive-notifier-${now}`,
      source: 'twinkey/notifier',
      time: at,
      data: {
        version: now,
        at: at.toISOString(),
        what: { event: 'service-alive', service: 'notifier', startedAt: startedAt.toISOString() },
      },
    });
    await appendOutbox(trx, [{ id: body.id, entity: RegistryEvent.entity, body, orderKey: 'service-alive' }]);
  });
}
