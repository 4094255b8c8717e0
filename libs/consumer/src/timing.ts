import { setTimeout as wait } from 'node:timers/promises';

/** Time and chance, as far as a session needs them. */
export interface Timing {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Evenly spread over [0, 1). */
  readonly random: () => number;
  /** Resolves after the time, or early when the signal aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const REAL_TIMING: Timing = {
  now: Date.now,
  random: Math.random,
  wait: async (ms, signal) => {
    try {
      await wait(ms, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
};

/** Spreads what a thousand instances would otherwise do in the same millisecond: 80 to 100 % of `ms`. */
export function jittered(ms: number, { random }: Timing): number {
  return ms * (0.8 + 0.2 * random());
}

/** Pauses between attempts: 0.25 s, doubling, at most `ceilingMs`. */
export function backoffMs(attempt: number, ceilingMs: number, timing: Timing): number {
  return jittered(Math.min(ceilingMs, 250 * 2 ** Math.min(attempt, 10)), timing);
}
