import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** Time, as far as targets need it. */
export interface Clock {
  /** Milliseconds since some moment; never set back. */
  readonly now: () => number;
  /** Resolves after the time, or early when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const REAL_CLOCK: Clock = {
  now: () => performance.now(),
  wait: async (ms, signal) => {
    try {
      await wait(ms, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
