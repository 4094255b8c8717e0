import { describe, expect, it } from '@jest/globals';
import { VaultLimiter } from './limit.js';

describe('a vault past its limit', () => {
  it('refuses until the ten seconds are over, and counts only what it served', () => {
    let now = 1_000_000;
    const limiter = new VaultLimiter({ creates: 2, others: 1 }, () => now);
    expect([limiter.take('creates'), limiter.take('creates')]).toEqual([0, 0]);
    now += 4_000;
    expect([limiter.take('creates'), limiter.take('creates')]).toEqual([6, 6]);
    expect(limiter.take('others')).toBe(0);
    now += 6_000;
    expect(limiter.take('creates')).toBe(0);
  });
});
