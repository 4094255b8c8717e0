// `describe`, `it` and what else the specs import from `@jest/globals`, kept as a tree that can be run again and
// again: the one thing that Jest cannot do, and the reason why a mutant costs milliseconds here.
import { format } from 'node:util';
import { expect } from 'expect';
import * as mock from 'jest-mock';

export { expect };
export const jest = { fn: mock.fn, spyOn: mock.spyOn };

/** Longer than any promise takes on a busy machine; only a mutant that waits for ever gets there. */
const withinMs = 30_000;

/** What twelve random worlds do not notice, three hundred rarely do, and each survivor has to pass all of them. */
const rowsAtMost = 12;

let suite = newSuite('', null);

function newSuite(name, parent) {
  return { name, parent, entries: [], beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] };
}

/** Runs `load`, which imports specs, and returns what they describe. */
export async function described(load) {
  suite = newSuite('', null);
  const root = suite;
  await load();
  const ids = new Map();
  for (const test of testsOf(root)) {
    const name = nameOf(test);
    const count = (ids.get(name) ?? 0) + 1;
    ids.set(name, count);
    test.id = count === 1 ? name : `${name} (${count})`;
  }
  return root;
}

export function describe(name, tell) {
  const inner = newSuite(name, suite);
  suite.entries.push(inner);
  suite = inner;
  tell();
  suite = inner.parent;
}
describe.each = each(describe);

export function it(name, run) {
  suite.entries.push({ name, run, parent: suite });
}
it.each = each(it);
export const test = it;

function each(say) {
  return (rows) => (name, run) => {
    for (const row of rows.slice(0, rowsAtMost)) {
      const values = Array.isArray(row) ? row : [row];
      const fields = (name.match(/%[a-z]/g) ?? []).length;
      say(format(name, ...values.slice(0, fields)), () => run(...values));
    }
  };
}

export const beforeAll = (hook) => suite.beforeAll.push(hook);
export const beforeEach = (hook) => suite.beforeEach.push(hook);
export const afterEach = (hook) => suite.afterEach.push(hook);
export const afterAll = (hook) => suite.afterAll.push(hook);

function testsOf({ entries }) {
  return entries.flatMap((entry) => (entry.entries === undefined ? [entry] : testsOf(entry)));
}

function nameOf({ name, parent }) {
  return parent?.parent ? `${nameOf(parent)} ${name}` : name;
}

/**
 * Runs the tests that `wanted` lets through, up to the first one that fails when `bail` is given; `began` hears of
 * each of them first.
 */
export async function run(root, { wanted = () => true, bail = false, began = () => undefined } = {}) {
  const results = [];
  await runSuite(root, { wanted, bail, began, results, stopped: false });
  return results;
}

async function runSuite(inside, run) {
  const chosen = testsOf(inside).filter(run.wanted);
  if (chosen.length === 0 || run.stopped) return;
  const prepared = await attempt(inside.beforeAll);
  for (const entry of inside.entries) {
    if (run.stopped) break;
    if (entry.entries !== undefined) await runSuite(entry, run);
    else if (run.wanted(entry)) await runTest(entry, prepared, run);
  }
  await attempt(inside.afterAll);
}

async function runTest(test, prepared, run) {
  run.began(test);
  const started = performance.now();
  const before = around(test, 'beforeEach').flat();
  const after = around(test, 'afterEach').reverse().flat();
  let error = prepared ?? (await attempt([...before, test.run]));
  error ??= await attempt(after);
  run.results.push({ id: test.id, error, ms: performance.now() - started });
  // Specs that wait for nothing would keep this process from hearing that it shall end.
  await new Promise(setImmediate);
  if (error !== undefined && run.bail) run.stopped = true;
}

function around({ parent }, kind) {
  return parent === null ? [] : [...around(parent, kind), parent[kind]];
}

let escape = () => undefined;
// What nobody awaits is the failure of whoever runs at that moment.
process.on('unhandledRejection', (error) => escape(error));
process.on('uncaughtException', (error) => escape(error));

/** The error of the first of `steps` that fails; undefined: none. */
async function attempt(steps) {
  let timer;
  const failed = new Promise((_, reject) => {
    escape = reject;
    timer = setTimeout(() => reject(new Error(`not done within ${withinMs} ms`)), withinMs);
  });
  failed.catch(() => undefined);
  try {
    for (const step of steps) await Promise.race([step(), failed]);
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown');
  } finally {
    clearTimeout(timer);
  }
}
