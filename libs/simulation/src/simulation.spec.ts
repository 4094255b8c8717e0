// Scheduler, rotators, notifier and consumers in one process and in virtual time, in worlds that go wrong.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BUGS } from './bugs.js';
import { add, nothing, openRunner, seedsFrom, type Runner } from './run.js';

/** More of them: `npm run check:simulation`. */
const WORLDS = 200;
const SEEDS_PER_BUG = 30;

let runner: Runner;

beforeAll(async () => {
  runner = await openRunner();
});

afterAll(async () => {
  await runner.close();
});

describe('a world that goes wrong in the ways of its seed', () => {
  it('keeps every promise', async () => {
    const sum = nothing();
    const broken: unknown[] = [];
    await runner.runAll(
      seedsFrom(1, WORLDS),
      {},
      (outcome) => {
        add(sum, outcome);
        const { seed, verdict, story } = outcome;
        if (verdict !== null) broken.push({ seed, verdict, story });
      },
      () => broken.length > 0,
    );
    expect(broken).toEqual([]);
    expect(sum.seeds).toBe(WORLDS);
    expect(sum.completed).toBeGreaterThan(sum.seeds / 2);
    expect(sum.calls).toBeGreaterThan(sum.seeds);
    expect(Object.keys(sum.counts).length).toBeGreaterThan(15);
  });

  it('goes the same way each time, and another way with another seed', async () => {
    const first = await runner.run({ seed: 3 });
    const again = await runner.run({ seed: 3 });
    const other = await runner.run({ seed: 4 });
    expect(again).toEqual(first);
    expect(first.events).toBeGreaterThan(1_000);
    expect(other.digest).not.toBe(first.digest);
  });
});

/** All of them: `npm run check:simulation -- --bugs`. */
const SOME_BUGS = BUGS.filter((_, index) => index % 3 === 0);

describe('a bug that was put in on purpose', () => {
  it.each(SOME_BUGS.map((bug) => [bug.name, bug] as const))('is found: %s', async (_, bug) => {
    let verdict: string | null = null;
    await runner.runAll(
      seedsFrom(1, SEEDS_PER_BUG),
      { bug },
      (outcome) => {
        verdict ??= outcome.verdict;
      },
      () => verdict !== null,
    );
    expect(verdict).toEqual(expect.any(String));
  });
});
