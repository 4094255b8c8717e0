// One area's mutants against its specs. Both are run from a copy, so that nothing is mutated where people work.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { folders, sourcesOf } from './areas.mjs';

const area = process.env.MUTATION_AREA;
const root = path.resolve(import.meta.dirname, '../..');

/** What the specs read from the copy; all else is left where it is. */
const copied = ['libs', 'apps', 'tools', 'libs/contracts', 'tools/mutation', ...folders];
const elsewhere = ['.', 'libs', 'apps', 'tools']
  .flatMap((folder) =>
    readdirSync(path.join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => path.posix.join(folder, name))
      .filter((name) => !copied.includes(name)),
  )
  .map((name) => `/${name}`);

export default {
  plugins: ['./tools/mutation/runner.mjs'],
  testRunner: 'judges',
  coverageAnalysis: 'perTest',
  // Specs of rotations make a ring while they are loaded. What they pass on the way is passed in their tests as well,
  // and loading everything anew for each such mutant took four fifths of the time.
  ignoreStatic: area === 'rotation',
  ignorers: ['words'],
  mutate: sourcesOf(area),
  ignorePatterns: [...elsewhere, 'dist', 'bundle', 'out-tsc'],
  tempDirName: `.mutation/sandbox-${area}`,
  cleanTempDir: 'always',
  reporters: ['clear-text', 'progress-append-only', 'json'],
  jsonReporter: { fileName: `.mutation/${area}.json` },
  clearTextReporter: { logTests: false, allowColor: false, reportTests: false },
  concurrency: 2,
  // Loops without end are found by counting; the clock of a busy machine would kill mutants that no spec notices.
  timeoutMS: 15_000,
  thresholds: { high: 95, low: 90, break: 90 },
};
