import { describe, expect, it } from '@jest/globals';
import { HandTime } from './fake/hand-time.js';
import { Pulse } from './pulse.js';
import { backoffMs, jittered, REAL_TIMING } from './timing.js';

const drawing = (value: number) => ({ ...REAL_TIMING, random: () => value });

describe('what a thousand instances do at the same time', () => {
  it('is spread over the last fifth of the time', () => {
    expect(jittered(1_000, drawing(0))).toBe(800);
    expect(jittered(1_000, drawing(0.999))).toBeCloseTo(999.8);
  });

  it('is tried again with pauses that double up to a ceiling', () => {
    const pauses = [0, 1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(attempt, 5_000, drawing(1)));
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  });
});

describe('two instances without a notifier', () => {
  it('look into the vault at different moments', async () => {
    const looks = await Promise.all(
      [0, 0.999].map(async (drawn) => {
        const time = new HandTime();
        const closing = new AbortController();
        const at: number[] = [];
        const start = time.now();
        const { now, wait } = time;
        const pulse = new Pulse({ now, wait, random: () => drawn }, closing.signal);
        const running = pulse.run(
          () => 15_000,
          () => {
            at.push((time.now() - start) / 1000);
            return Promise.resolve();
          },
        );
        await time.pass(46);
        closing.abort();
        await running;
        return at.map(Math.round);
      }),
    );
    expect(looks).toEqual([
      [12, 24, 36],
      [15, 30, 45],
    ]);
  });
});
