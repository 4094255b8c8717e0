/** A clock that stands still until it is moved. */
export interface FixedClock {
  now(): Date;
  /** Milliseconds since 1970, for code that takes a `() => number`. */
  readonly ms: () => number;
  advance(by: {
    readonly ms?: number;
    readonly seconds?: number;
    readonly minutes?: number;
    readonly hours?: number;
  }): Date;
}

export function fixedClock(start: Date | string = '2026-01-05T12:00:00Z'): FixedClock {
  let time = new Date(start).getTime();
  if (Number.isNaN(time)) throw new Error(`A clock cannot show ${String(start)}.`);
  return {
    now: () => new Date(time),
    ms: () => time,
    advance: ({ ms = 0, seconds = 0, minutes = 0, hours = 0 }) => {
      time += ms + 1_000 * (seconds + 60 * (minutes + 60 * hours));
      return new Date(time);
    },
  };
}
