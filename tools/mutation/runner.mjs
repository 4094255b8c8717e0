// Judges mutants in one process: the specs of an area are loaded once and run for each mutant, up to the first that
// notices it. Through Jest, which loads everything anew each time, a mutant took four seconds of processor time.
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { specsOf, stepsOf } from './areas.mjs';
import { described, run } from './speaking.mjs';
import { words } from './words.mjs';

const PASSED = 0;
const FAILED = 1;

/**
 * Stryker stops a mutant that is passed a hundred times as often as all specs together pass it. Here one spec alone
 * may pass it three times as often as they all: a loop without end is found in seconds.
 */
const ROUNDS = 3 / 100;

const STEPS = stepsOf(process.env.MUTATION_AREA);
const ENDLESS = { status: 'timeout', reason: 'a spec without end' };

class Judges {
  #lives = 0;
  #specs;

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    process.once('disconnect', () => process.exit());
    const copy = process.cwd();
    const checkout = path.resolve(import.meta.dirname, '../..');
    register('./loading.mjs', import.meta.url, { data: { copy, checkout } });
    this.#specs = await this.#load();
  }

  #load() {
    this.#lives += 1;
    return described(async () => {
      for (const spec of specsOf(process.env.MUTATION_AREA, process.cwd()))
        await import(`${pathToFileURL(spec).href}?life=${this.#lives}`);
    });
  }

  async dryRun() {
    const results = await run(this.#specs, { began: ({ id }) => (mutants().currentTestId = id) });
    mutants().currentTestId = undefined;
    const tests = results.map(({ id, error, ms }) => ({
      id,
      name: id,
      timeSpentMs: Math.round(ms),
      ...(error === undefined ? { status: PASSED } : { status: FAILED, failureMessage: String(error) }),
    }));
    return { status: 'complete', tests, mutantCoverage: mutants().mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation, disableBail }) {
    const wanted = testFilter === undefined ? undefined : new Set(testFilter);
    const rounds = hitLimit && Math.max(1_000, hitLimit * ROUNDS);
    Object.assign(mutants(), { activeMutant: undefined, hitCount: rounds && 0, hitLimit: rounds });
    const steps = countSteps();
    let specs = this.#specs;
    try {
      if (mutantActivation === 'static') {
        mutants().activeMutant = activeMutant.id;
        specs = await this.#load();
      }
      mutants().activeMutant = activeMutant.id;
      const results = await run(specs, {
        bail: !disableBail,
        began: () => {
          if (rounds !== undefined) mutants().hitCount = 0;
          steps.taken = 0;
        },
        ...(wanted === undefined ? {} : { wanted: ({ id }) => wanted.has(id) }),
      });
      return steps.taken > STEPS ? ENDLESS : verdict(results);
    } catch (error) {
      if (steps.taken > STEPS) return ENDLESS;
      // The specs could not even be loaded.
      return { status: 'killed', killedBy: ['loading'], failureMessage: String(error), nrOfTests: 1 };
    } finally {
      mutants().activeMutant = undefined;
    }
  }
}

/**
 * Counts what mutated sources are passed, and stops a spec that never comes to an end: a loop of a spec may wait in vain
 * for what the mutant does not do, without passing the mutant itself.
 */
function countSteps() {
  const steps = { taken: 0 };
  const passed = (_, place) => {
    steps.taken += 1;
    if (steps.taken > STEPS) throw new Error(`no end after ${STEPS} steps`);
    return place !== undefined;
  };
  mutants().mutantCoverage ??= { static: {}, perTest: {} };
  mutants().mutantCoverage.static = new Proxy({}, { set: passed });
  return steps;
}

function verdict(results) {
  const { hitCount, hitLimit } = mutants();
  if (hitCount > hitLimit) return { status: 'timeout', reason: `a loop without end (${hitCount} rounds)` };
  const failed = results.filter(({ error }) => error !== undefined);
  if (failed.length === 0) return { status: 'survived', nrOfTests: results.length };
  return {
    status: 'killed',
    killedBy: failed.map(({ id }) => id),
    failureMessage: String(failed[0].error),
    nrOfTests: results.length,
  };
}

/** Where the mutated code looks which mutant is active, and notes what it passes. */
function mutants() {
  return (globalThis.__stryker__ ??= {});
}

export const strykerPlugins = [
  { kind: 'TestRunner', name: 'judges', factory: () => new Judges() },
  { kind: 'Ignore', name: 'words', value: words },
];
