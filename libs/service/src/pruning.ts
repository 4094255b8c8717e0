import { prune, type AnyDatabase } from '@twinkey/journal';
import type { Log } from './log.js';
import type { Background } from './service.js';

const EVERY_MS = 60 * 60_000;
/**
 * Messages live an hour on the bus; dead letters until someone looks at them. One that is replayed after this time
 * is handled as if it were new, which handlers survive too: they look at what is, not at what the message says.
 */
const KEEP_MS = 14 * 24 * 60 * 60_000;

/** Keeps outbox and inbox small. */
export function pruning(database: AnyDatabase, log: Log): Background {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    try {
      const removed = await prune(database, { keepMs: KEEP_MS });
      if (removed.outbox + removed.inbox > 0) log.info(removed, 'Old messages were removed');
    } catch (error) {
      log.warn({ err: error }, 'Old messages could not be removed; the next attempt is in an hour');
    }
  };
  return {
    name: 'pruning',
    start: () => {
      timer = setInterval(() => {
        running = run();
      }, EVERY_MS);
      timer.unref();
    },
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
