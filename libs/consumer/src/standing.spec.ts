import { describe, expect, it } from '@jest/globals';
import { isLapsed, isRereadDue, lookEveryMs } from './standing.js';

describe('an instance without an answer', () => {
  it('is lapsed when a whole lease has passed since it asked successfully', () => {
    expect(isLapsed({ answeredAt: 1_000, leaseMs: 30_000, now: 30_999 })).toBe(false);
    expect(isLapsed({ answeredAt: 1_000, leaseMs: 30_000, now: 31_000 })).toBe(true);
  });
});

describe('an instance that confirms its key on its own', () => {
  const rereadMs = 60_000;

  it('leaves it alone while heartbeats confirm it', () => {
    expect(isRereadDue({ confirmedAt: 0, rereadMs, now: 10_000 })).toBe(false);
  });

  it('starts reading early enough, however unluckily its looks fall', () => {
    const lastLookWithout = rereadMs / 2 - 1;
    const nextLook = lastLookWithout + lookEveryMs(rereadMs);
    expect(isRereadDue({ confirmedAt: 0, rereadMs, now: lastLookWithout })).toBe(false);
    expect(isRereadDue({ confirmedAt: 0, rereadMs, now: nextLook })).toBe(true);
    expect(rereadMs - nextLook).toBeGreaterThanOrEqual(15_000);
  });
});
