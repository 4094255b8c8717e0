import { describe, expect, it } from '@jest/globals';
import { LATE_MS, nextAttemptAt, type Tried } from './retry-schedule.js';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** The moments of all attempts when each of them fails at once, the first at 0. */
function attempts(deadlineAt: number, chance: () => number, changes: Partial<Tried> = {}): number[] {
  const made = [0];
  for (;;) {
    const now = made.at(-1) ?? 0;
    const tried = { tries: made.length, now, deadlineAt, untilAt: deadlineAt + LATE_MS, chance: chance() };
    const next = nextAttemptAt({ ...tried, ...changes });
    if (next === null) return made;
    expect(next).toBeGreaterThan(now);
    made.push(next);
  }
}

/** Some chances, the same in each run. */
function chances(): () => number {
  let state = 7;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

describe.each([
  ['a minute', minute, 4],
  ['five minutes', 5 * minute, 6],
  ['an hour', hour, 10],
  ['a day', 24 * hour, 100],
])('Within a deadline of %s', (_, deadline, least) => {
  const made = attempts(deadline, chances());
  const inTime = made.filter((at) => at < deadline);

  it('there are several attempts', () => {
    expect(inTime.length).toBeGreaterThanOrEqual(least);
    expect(inTime.length).toBeLessThan(least * 3);
  });

  it('the last ones are close to its end', () => {
    expect(deadline - (inTime.at(-1) ?? 0)).toBeLessThan(10 * second);
  });

  it('none follows another at once', () => {
    const pauses = made.slice(1).map((at, index) => at - (made[index] ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(4 * second);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(18 * minute);
  });
});

describe('After the deadline', () => {
  it('a message is tried for another day, then no more', () => {
    const made = attempts(minute, chances());
    const last = made.at(-1) ?? 0;
    expect(last).toBeLessThanOrEqual(minute + LATE_MS);
    expect(last).toBeGreaterThan(LATE_MS - 20 * minute);
  });
});

describe('A receiver', () => {
  const failed = { tries: 1, now: 0, deadlineAt: hour, untilAt: hour + LATE_MS, chance: 0.5 };

  it('that names no time is asked again after five seconds, a fifth more or less', () => {
    expect(nextAttemptAt(failed)).toBe(5 * second);
    expect(nextAttemptAt({ ...failed, chance: 0 })).toBe(4 * second);
    expect(nextAttemptAt({ ...failed, chance: 1 })).toBe(6 * second);
  });

  it('that asks to be left alone is, even beyond the deadline', () => {
    expect(nextAttemptAt({ ...failed, retryAfterMs: 10 * minute })).toBe(10 * minute);
    expect(nextAttemptAt({ ...failed, retryAfterMs: 2 * hour })).toBe(2 * hour);
  });

  it('that asks for less than the usual pause gets the usual one', () => {
    expect(nextAttemptAt({ ...failed, tries: 4, retryAfterMs: second })).toBe(2 * minute);
  });

  it('cannot put it off for ever', () => {
    const asked = { ...failed, untilAt: 99 * 24 * hour, retryAfterMs: 90 * 24 * hour };
    expect(nextAttemptAt(asked)).toBe(24 * hour);
  });
});
