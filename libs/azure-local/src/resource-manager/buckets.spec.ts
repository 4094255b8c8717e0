import { describe, expect, it } from '@jest/globals';
import { azureArmLimits, Buckets } from './buckets.js';

function situation() {
  const clock = { now: 0 };
  return { clock, buckets: new Buckets(azureArmLimits, () => clock.now) };
}

describe('a principal that writes without pause', () => {
  it('gets 200 at once, then is told to wait', () => {
    const { buckets } = situation();
    for (let n = 199; n >= 0; n -= 1)
      expect(buckets.take('a', 'writes')).toMatchObject({ ok: true, remaining: n });
    expect(buckets.take('a', 'writes')).toEqual({ ok: false, retryAfterSeconds: 1 });
  });

  it('gets ten a second from then on', () => {
    const { clock, buckets } = situation();
    for (let n = 0; n < 201; n += 1) buckets.take('a', 'writes');
    clock.now += 1_000;
    const served = Array.from({ length: 15 }, () => buckets.take('a', 'writes').ok).filter(Boolean);
    expect(served).toHaveLength(10);
  });

  it('is refused again before its time, with what is left of it, and served when it is over', () => {
    const { clock, buckets } = situation();
    const slow = new Buckets({ ...azureArmLimits, writes: { burst: 1, perSecond: 0.1 } }, () => clock.now);
    slow.take('a', 'writes');
    expect(slow.take('a', 'writes')).toEqual({ ok: false, retryAfterSeconds: 10 });
    clock.now += 4_000;
    expect(slow.take('a', 'writes')).toEqual({ ok: false, retryAfterSeconds: 6 });
    clock.now += 5_500;
    expect(slow.take('a', 'writes')).toEqual({ ok: false, retryAfterSeconds: 1 });
    clock.now += 500;
    expect(slow.take('a', 'writes').ok).toBe(true);
    expect(buckets.take('a', 'writes').ok).toBe(true);
  });

  it('gets through though it never stops asking', () => {
    const { clock, buckets } = situation();
    for (let n = 0; n < 201; n += 1) buckets.take('a', 'writes');
    let served = 0;
    for (; clock.now < 5_000; clock.now += 100) if (buckets.take('a', 'writes').ok) served += 1;
    expect(served).toBeGreaterThan(20);
  });

  it('takes nothing from its reads, nor from another principal', () => {
    const { buckets } = situation();
    for (let n = 0; n < 201; n += 1) buckets.take('a', 'writes');
    expect(buckets.take('a', 'reads')).toMatchObject({ ok: true, remaining: 249 });
    expect(buckets.take('b', 'writes')).toMatchObject({ ok: true, remaining: 199, globalRemaining: 2_799 });
    expect(buckets.take('a', 'writes', 'tenant')).toMatchObject({ ok: true, remaining: 199 });
  });
});

describe('a subscription whose principals together write too much', () => {
  it('refuses whoever comes next', () => {
    const { buckets } = situation();
    for (let who = 0; who < 15; who += 1) for (let n = 0; n < 200; n += 1) buckets.take(`p${who}`, 'writes');
    expect(buckets.take('fresh', 'writes').ok).toBe(false);
  });
});
