import { describe, expect, it } from '@jest/globals';
import { inputs, Misbehaviour, refusesOrTakes, tryAll } from './attempts.js';
import { chanceOf } from './chance.js';
import { mutate, mutateJson } from './mutate.js';

/** All inputs, whatever the environment asks of the suites. */
const share = 50 / inputs;

describe('the search for misbehaviour', () => {
  it('reports the input that misbehaved, and how to see it again', async () => {
    const attempt = (): void => {
      throw new Misbehaviour('no answer');
    };
    await expect(tryAll({ what: 'nothing', share, attempt })).rejects.toThrow(
      /nothing: input \d+ of seed \d+: no answer\nTo see it again: FUZZ_SEED=\d+ FUZZ_INPUT=\d+ npm run check:fuzz/,
    );
  });

  it('takes an error of another kind for a misbehaviour, and slowness too', () => {
    const refusal = class extends Error {};
    const throws = (error: Error) => () => {
      throw error;
    };
    expect(() => {
      refusesOrTakes(throws(new refusal()), [refusal]);
    }).not.toThrow();
    expect(() => {
      refusesOrTakes(throws(new RangeError()), [refusal]);
    }).toThrow(RangeError);
    const started = process.cpuUsage();
    expect(() => {
      refusesOrTakes(() => {
        while (process.cpuUsage(started).user < 1_100_000);
      }, [refusal]);
    }).toThrow(/it took/);
  });

  it('makes the same inputs of the same seed, and others of another', () => {
    const good = Buffer.from('the quick brown fox jumps over the lazy dog');
    const made = (seed: number) =>
      Array.from({ length: 20 }, (_, n) => mutate(good, [good], chanceOf(seed, n)).toString('hex'));
    expect(made(1)).toEqual(made(1));
    expect(made(1)).not.toEqual(made(2));
    expect(new Set(made(1)).size).toBeGreaterThan(15);
    const json = (n: number) => JSON.stringify(mutateJson({ a: { b: 1 } }, chanceOf(1, n)));
    expect(json(3)).toBe(json(3));
  });
});
