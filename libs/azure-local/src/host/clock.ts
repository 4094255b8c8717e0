import { ControlInvalid } from './control-invalid.js';
import type { Clock } from './plugin.js';

/** The time by which everything in the emulator lives: tokens, secrets, limits, locks, schedules. */
export interface LocalClock {
  /** Milliseconds since 1970. */
  readonly now: Clock;
  /** How far it is ahead of the clock underneath. */
  readonly aheadByMs: () => number;
  /** Jumps ahead; the new time. Throws `ControlInvalid` for a step back. */
  advance(ms: number): number;
  /** Jumps to a time, which may not be over yet; it goes on from there. */
  set(at: number | Date): number;
}

/**
 * A clock that can jump ahead of another one, never back: what was written down as past would lie in the future, and
 * neither locks nor tokens are made for that. Whoever sleeps until a time hears of a jump.
 */
export function jumpingClock(underneath: Clock, jumped: () => void): LocalClock {
  let ahead = 0;
  const now = () => underneath() + ahead;
  const jump = (ms: number): number => {
    ahead += ms;
    jumped();
    return now();
  };
  return {
    now,
    aheadByMs: () => ahead,
    advance: (ms) => {
      if (!Number.isFinite(ms) || ms < 0)
        throw new ControlInvalid('advanceMs: 0 or more milliseconds; the clock goes ahead only.');
      return jump(ms);
    },
    set: (at) => {
      const ms = Number(at) - now();
      if (!Number.isFinite(ms)) throw new ControlInvalid('set: a time, such as "2030-01-01T00:00:00Z".');
      if (ms < 0) throw new ControlInvalid(`set: that is over; it is ${new Date(now()).toISOString()} here.`);
      return jump(ms);
    },
  };
}
