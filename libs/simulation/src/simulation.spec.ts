// Scheduler, rotators, notifier and consumers in one process and in virtual time, in worlds that go wrong.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BUGS } from './bugs.js';
import { openRunner, seedsFrom, type Runner } from './run.js';

/** More of them: `npm run check:simulation`. */
const WORLDS = 200;
/** A world mostly waits for the answers of its database; side by side, two fill the waits of each other. */
const AT_ONCE = 2;
const SEEDS_PER_BUG = 30;

let runner: Runner;

beforeAll(async () => {
  runner = await openRunner();
});

afterAll(async () => {
  await runner.close();
});

/** What a program says until it ends. */
async function run(words: readonly string[]): Promise<{ exitCode: number; said: string }> {
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'], env: ENVIRONMENT });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const [exitCode] = (await once(child, 'close')) as [number];
  return { exitCode, said };
}

/** Without the flags that Jest is started with. */
const ENVIRONMENT = { ...process.env, NODE_OPTIONS: '' };

describe('a world that goes wrong in the ways of its seed', () => {
  // In processes of their own, as `npm run check:simulation` runs them: inside of Jest a world takes twice as long.
  it('keeps every promise', async () => {
    const check = fileURLToPath(new URL('../dist/check.js', import.meta.url));
    const share = WORLDS / AT_ONCE;
    const runs = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) =>
        run([check, '--seeds', String(share), '--from', String(1 + index * share)]),
      ),
    );
    for (const { exitCode, said } of runs) {
      expect({ exitCode, said }).toEqual({ exitCode: 0, said: expect.any(String) });
      const numberBefore = (words: string): number =>
        Number(new RegExp(`(\\d+) ${words}`).exec(said)?.[1] ?? Number.NaN);
      expect(numberBefore('worlds in')).toBe(share);
      expect(numberBefore('rotations completed')).toBeGreaterThan(share / 2);
      expect(numberBefore('calls of applications')).toBeGreaterThan(share);
    }
    const kinds = runs.flatMap(({ said }) => said.match(/[a-z]+-[a-z]+(?= \d)/g) ?? []);
    expect(new Set(kinds).size).toBeGreaterThan(30);
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

describe('a Key Vault that is down for an hour, in the middle of a rotation', () => {
  const HOUR_MS = 3_600_000;

  it('is waited for: nobody is interrupted, and all completes when it is back', async () => {
    let askedFor = 0;
    const { verdict, completed, virtualMs, tally } = await runner.run({
      seed: 1,
      only: [],
      besides: (world) => {
        const { timeline, outages } = world;
        world.kindFrom = timeline.now + HOUR_MS + 120_000;
        timeline.after(25_000, () => void (outages.vault = true), null);
        timeline.after(25_000 + HOUR_MS, () => void (outages.vault = false), null);
        askedFor = world.settings.accounts.length;
      },
    });
    expect(verdict).toBeNull();
    expect(virtualMs).toBeGreaterThan(HOUR_MS);
    expect(completed).toBeGreaterThanOrEqual(askedFor);
    expect(tally.refused).toBe(0);
    expect(tally.calls).toBeGreaterThan(500);
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
