import { describe, expect, it } from '@jest/globals';
import { WriteLimiter } from './limiter.js';

/** Time passes exactly when somebody waits for it. */
function virtualClock() {
  let now = 0;
  return {
    now: () => now,
    wait: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const patient = { withinMs: 3_600_000 };

describe('a fleet that writes as fast as it may', () => {
  it('gets the burst at once and then just under ten a second', async () => {
    const clock = virtualClock();
    const limiter = new WriteLimiter({ clock });
    for (let call = 0; call < 198; call += 1) await limiter.take(patient);
    expect(clock.now()).toBe(0);
    for (let call = 0; call < 997; call += 1) await limiter.take(patient);
    expect(clock.now()).toBeGreaterThanOrEqual(100_000);
    expect(clock.now()).toBeLessThan(101_500);
  });

  it('never has more at once than the burst, however long it rested', async () => {
    const clock = virtualClock();
    const limiter = new WriteLimiter({ clock, burst: 5, perSecond: 10 });
    clock.pass(3_600_000);
    for (let call = 0; call < 5; call += 1) await limiter.take(patient);
    expect(limiter.delayMs()).toBe(100);
  });

  it('serves those who wait in the order of asking', async () => {
    const limiter = new WriteLimiter({ clock: virtualClock(), burst: 1, perSecond: 10 });
    const served: number[] = [];
    await Promise.all([0, 1, 2, 3].map((who) => limiter.take(patient).then(() => served.push(who))));
    expect(served).toEqual([0, 1, 2, 3]);
  });
});

describe('a caller whose deadline is nearer than its token', () => {
  it('is told at once when to come again, and takes no place in the line', async () => {
    const limiter = new WriteLimiter({ clock: virtualClock(), burst: 1, perSecond: 10 });
    await limiter.take(patient);
    expect(await limiter.take({ withinMs: 99 })).toEqual({ granted: false, retryAfterMs: 100 });
    expect(limiter.delayMs()).toBe(100);
  });

  it('is let go when the door closes while it waits', async () => {
    const clock = virtualClock();
    const limiter = new WriteLimiter({ clock, burst: 1, perSecond: 10 });
    await limiter.take(patient);
    const waiting = limiter.take({ withinMs: 500 });
    limiter.answered({ retryAfterMs: 10_000 });
    const grant = await waiting;
    expect(grant.granted).toBe(false);
    expect(clock.now()).toBeLessThan(500);
  });
});

describe('answers that tell what is left', () => {
  it('correct the count downwards, less what is still on its way', async () => {
    const limiter = new WriteLimiter({ clock: virtualClock(), burst: 100, perSecond: 10 });
    await limiter.take(patient);
    await limiter.take(patient);
    limiter.answered({ remaining: 3 }); // one call is in flight, so 2 are ours
    await limiter.take(patient);
    await limiter.take(patient);
    expect(limiter.delayMs()).toBe(100);
  });

  it('never correct it upwards', async () => {
    const limiter = new WriteLimiter({ clock: virtualClock(), burst: 1, perSecond: 10 });
    await limiter.take(patient);
    limiter.answered({ remaining: 150 });
    expect(limiter.delayMs()).toBe(100);
  });
});

describe('a refusal that names a time', () => {
  it('keeps everyone waiting until then', async () => {
    const clock = virtualClock();
    const limiter = new WriteLimiter({ clock });
    await limiter.take(patient);
    limiter.answered({ retryAfterMs: 7_000 });
    expect(limiter.delayMs()).toBe(7_000);
    await limiter.take(patient);
    expect(clock.now()).toBeGreaterThanOrEqual(7_000);
    expect(clock.now()).toBeLessThan(7_002);
  });
});

describe('a granted call that was never sent', () => {
  it('gives its token back', async () => {
    const limiter = new WriteLimiter({ clock: virtualClock(), burst: 1, perSecond: 10 });
    await limiter.take(patient);
    limiter.unused();
    expect(limiter.delayMs()).toBe(0);
  });
});
