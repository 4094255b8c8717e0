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

  it('is refused again, and made to wait anew, when it comes before its time', () => {
    const { clock, buckets } = situation();
    for (let n = 0; n < 201; n += 1) buckets.take('a', 'writes');
    clock.now += 900;
    expect(buckets.take('a', 'writes').ok).toBe(false);
    clock.now += 900;
    expect(buckets.take('a', 'writes').ok).toBe(false);
    clock.now += 1_000;
    expect(buckets.take('a', 'writes').ok).toBe(true);
  });

  it('takes nothing from its reads, nor from another principal', () => {
    const { buckets } = situation();
    for (let n = 0; n < 201; n += 1) buckets.take('a', 'writes');
    expect(buckets.take('a', 'reads')).toMatchObject({ ok: true, remaining: 249 });
    expect(buckets.take('b', 'writes')).toMatchObject({ ok: true, remaining: 199, globalRemaining: 2_799 });
  });
});

describe('a subscription whose principals together write too much', () => {
  it('refuses whoever comes next', () => {
    const { buckets } = situation();
    for (let who = 0; who < 15; who += 1) for (let n = 0; n < 200; n += 1) buckets.take(`p${who}`, 'writes');
    expect(buckets.take('fresh', 'writes').ok).toBe(false);
  });
});
