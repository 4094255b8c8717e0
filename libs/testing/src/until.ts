import { setTimeout as delay } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';

type Falsy = false | 0 | 0n | '' | null | undefined;

/**
 * Waits until `condition` gives something truthy, and returns that. A condition that throws (an expectation, a
 * refused connection) counts as not yet true; its last error is the cause when the time is up.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { withinMs = 30_000, every = 10 }: { readonly withinMs?: number; readonly every?: number } = {},
): Promise<Exclude<T, Falsy>> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, Falsy>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) {
      const why = isNativeError(last) ? `: ${last.message}` : ''; // of whatever realm
      throw new Error(`Still not so after ${withinMs} ms: ${condition.toString()}${why}`, { cause: last });
    }
    await delay(every);
  }
}
