// Everything that must hold, in three streams once the programs are built: the end-to-end tests wait a lot, the rest
// computes a lot. (In one run nx starts the end-to-end tests and lint last, and they are the longest.)
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Resolves to whether all of it succeeded, with its output in one piece unless it is `live`. */
function run(words, { live = false } = {}) {
  const child = spawn(process.execPath, words, {
    cwd: root,
    stdio: ['inherit', live ? 'inherit' : 'pipe', live ? 'inherit' : 'pipe'],
  });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(chunk));
  running.add(child);
  return new Promise((resolve) => {
    child.once('close', (code) => {
      running.delete(child);
      process.stdout.write(Buffer.concat(said));
      resolve(code === 0);
    });
  });
}

const nx = (words, options) => run(['tools/nx.mjs', ...words], options);

/** All projects in one process: one of nx for each costs more than the compiler itself. */
async function typecheck() {
  const isSound = await run(['node_modules/@typescript/native/bin/tsc', '--build']);
  console.log(isSound ? 'Types: sound in all projects' : 'Types: see above');
  return isSound;
}

/** All spec files in a few processes; what waits for a server leaves the processor to the others. */
function specs() {
  const jest = [
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  return run([...jest, '--config', 'tools/together/jest.config.mjs', '--maxWorkers', '3'], { live: true });
}

async function inTurn(...parts) {
  const results = [];
  for (const part of parts) results.push(await part());
  return !results.includes(false);
}

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
  });
}

const isBuilt = await nx(['run-many', '-t', 'build', 'bundle'], { live: true });
const results = isBuilt
  ? await Promise.all([
      nx(['run', '@twinkey/e2e:e2e']),
      inTurn(typecheck, () => nx(['run', 'twinkey:lint'])),
      specs(),
    ])
  : [false];
if (results.includes(false)) process.exitCode = 1;
