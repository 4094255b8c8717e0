// npm run check:simulation [-- --seeds N] [-- --from SEED] [-- --long] [-- --bugs]
import { parseArgs } from 'node:util';
import { BUGS, type Bug } from './bugs.js';
import { add, neverHappened, nothing, openRunner, seedsFrom, type Runner, type Sum } from './run.js';
import type { Outcome } from './world.js';

const USAGE = `npm run check:simulation -- [--seeds N] [--from SEED] [--long] [--bugs] [--bug NUMBER]
  --seeds   how many worlds, 200 unless told
  --from    the seed of the first one, 1 unless told
  --long    20,000 worlds, in which every kind of fault must happen
  --bugs    only the bugs that are put in on purpose: each must be found
  --bug     only this one of them; without --bugs: worlds that have it`;

const SHORT = 200;
const LONG = 20_000;
const SEEDS_PER_BUG = 60;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    long: { type: 'boolean', default: false },
    bugs: { type: 'boolean', default: false },
    bug: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (values.help) say(USAGE);
else {
  const runner = await openRunner();
  try {
    if (values.bugs) await findBugs(runner);
    else await runSeeds(runner);
  } finally {
    await runner.close();
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name}: must be a whole number above 0, not "${text}"`);
  return value;
}

async function runSeeds(runner: Runner): Promise<void> {
  const seeds = values.seeds === undefined ? (values.long ? LONG : SHORT) : numberOf('seeds', values.seeds);
  const from = numberOf('from', values.from);
  const bug = values.bug === undefined ? undefined : BUGS[numberOf('bug', values.bug) - 1];
  const sum = nothing();
  const broken: number[] = [];
  const startedAt = performance.now();
  await runner.runAll(seedsFrom(from, seeds), bug === undefined ? {} : { bug }, (outcome) => {
    add(sum, outcome);
    if (outcome.verdict !== null) {
      broken.push(outcome.seed);
      say(storyOf(outcome));
    }
    if (sum.seeds % 50 === 0) say(progressOf(sum, broken.length, performance.now() - startedAt));
  });
  say(summaryOf(sum, performance.now() - startedAt));
  const missing = neverHappened(sum);
  if (missing.length > 0 && seeds > 1) say(`never happened: ${missing.join(', ')}`);
  if (broken.length > 0)
    say(`${broken.length} of ${seeds} worlds break a promise: seeds ${broken.join(', ')}`);
  if (broken.length > 0 || (seeds >= LONG && missing.length > 0)) process.exitCode = 1;
}

async function findBugs(runner: Runner): Promise<void> {
  const only = values.bug === undefined ? undefined : BUGS[numberOf('bug', values.bug) - 1];
  for (const bug of only === undefined ? BUGS : [only]) {
    const found = await find(runner, bug);
    if (found === null) process.exitCode = 1;
    say(
      found === null
        ? `not found: ${bug.name}`
        : `found with seed ${found.seed}: ${bug.name}\n  ${found.verdict ?? ''}`,
    );
  }
}

async function find(runner: Runner, bug: Bug): Promise<Outcome | null> {
  const most = values.seeds === undefined ? SEEDS_PER_BUG : numberOf('seeds', values.seeds);
  let found: Outcome | null = null;
  const take = (outcome: Outcome): void => {
    if (outcome.verdict !== null) found ??= outcome;
  };
  await runner.runAll(seedsFrom(1, most), { bug }, take, () => found !== null);
  return found;
}

function storyOf({ seed, verdict, story, kinds }: Outcome): string {
  return [
    '',
    `Seed ${seed} breaks a promise: ${verdict ?? ''}`,
    `  its faults: ${kinds.join(', ')}`,
    ...story.map((line) => `  ${line}`),
    `  again: npm run check:simulation -- --seeds 1 --from ${seed}`,
    '',
  ].join('\n');
}

function progressOf({ seeds, virtualMs, completed }: Sum, broken: number, ms: number): string {
  const hours = (virtualMs / 3_600_000).toFixed(0);
  return `${seeds} worlds, ${hours} virtual hours, ${completed} rotations, ${broken} broken, ${(ms / 1_000).toFixed(0)} s`;
}

function summaryOf(sum: Sum, ms: number): string {
  const { seeds, virtualMs, completed, calls, refused, regenerations, publications, events, counts } = sum;
  const kinds = Object.entries(counts).sort(([one], [other]) => (one < other ? -1 : 1));
  return [
    `${seeds} worlds in ${(ms / 1_000).toFixed(0)} s: ${(virtualMs / 3_600_000).toFixed(1)} virtual hours, ${events} events`,
    `${completed} rotations completed, ${regenerations} regenerations, ${publications} publications`,
    `${calls} calls of applications, ${refused} refused, each of those for a reason of the world's that is no fault of twinkey`,
    `faults: ${kinds.map(([kind, times]) => `${kind} ${times}`).join(', ')}`,
  ].join('\n');
}
