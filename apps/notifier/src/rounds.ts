import type { Background, Log } from '@twinkey/service';

/** Does `round` again and again, `everyMs` after the last one ended. A round that fails is tried again, and reported. */
export function rounds(name: string, everyMs: number, round: () => Promise<void>, log: Log): Background {
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  let stopped = false;
  let failing = false;

  const run = async () => {
    try {
      await round();
      failing = false;
    } catch (error) {
      // Once per outage: what the database or the broker says each second is the same sentence.
      if (!failing) log.warn({ err: error, name }, 'A round failed and is tried again');
      failing = true;
    }
    if (!stopped) timer = setTimeout(next, everyMs);
  };
  const next = () => {
    running = run();
  };
  return {
    name,
    start: next,
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
