// Compiles and bundles without nx: one run of the compiler over all projects takes a third of the processor time of one
// per project, and every `npm start` and `npm test` on a fresh machine waits for it.
import { spawn } from 'node:child_process';
import { readdirSync, existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const tsc = path.join(root, 'node_modules/@typescript/native/bin/tsc');

/** Programs that also exist as one file; see bundle.mjs. */
const BUNDLED = [
  'apps/azure-local',
  'apps/scheduler',
  'apps/rotator',
  'apps/notifier',
  'apps/console',
  'examples/consumer-node',
];

/** Everything that runs, without specs. */
function programs() {
  return ['apps', 'libs', 'examples', 'tools'].flatMap((folder) =>
    readdirSync(path.join(root, folder))
      .map((name) => path.join(root, folder, name, 'tsconfig.lib.json'))
      .filter((file) => existsSync(file)),
  );
}

/** Resolves to whether all of it succeeded; what went wrong has been printed. */
export async function compile({ withSpecs = false } = {}) {
  if (!(await run([tsc, '--build', ...(withSpecs ? [path.join(root, 'tsconfig.json')] : programs())])))
    return false;
  const bundles = BUNDLED.map((project) => run([path.join(root, 'tools/bundle.mjs'), project]));
  return !(await Promise.all(bundles)).includes(false);
}

function run(words) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: 'inherit' });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve(code === 0));
  });
}
