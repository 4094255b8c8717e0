import { describe, expect, it } from '@jest/globals';
import { subscriptionLimits, VaultLimiter } from './limit.js';

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

describe('the vaults of a subscription', () => {
  it('serve together five times what one may', () => {
    const limits = { creates: 2, others: 1 };
    const all = new VaultLimiter(subscriptionLimits(limits), () => 1_000_000);
    const served = (vaults: number) =>
      [...Array(vaults).keys()].map(() => {
        const vault = new VaultLimiter(limits, () => 1_000_000, all);
        return [vault.take('creates'), vault.take('creates'), vault.take('creates')].filter(
          (wait) => wait === 0,
        ).length;
      });
    expect(served(6)).toEqual([2, 2, 2, 2, 2, 0]);
  });
});
