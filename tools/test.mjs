// Everything that must hold, in three streams once everything is compiled: the end-to-end tests wait a lot, the rest
// computes a lot.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compile } from './compile.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Resolves to whether all of it succeeded, with its output in one piece unless it is `live`. */
function run(words, { live = false, mute = false } = {}) {
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
      if (!mute || code !== 0) process.stdout.write(Buffer.concat(said));
      resolve(code === 0);
    });
  });
}

const nx = (words, options) => run(['tools/nx.mjs', ...words], options);

const jest = (config, ...more) => [
  '--experimental-vm-modules',
  '--no-warnings=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
  '--config',
  config,
  ...more,
];

/** What waits for a server leaves the processor to the others. */
const specs = () => run(jest('tools/together/specs.config.mjs', '--maxWorkers', '3'), { live: true });

const endToEnd = () => run(jest('apps/e2e/jest-e2e.config.mjs'));

const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
  });
}

// The specs that plant violations want nx's project graph, and would each make one of their own.
const [isBuilt] = await Promise.all([
  compile({ withSpecs: true }),
  nx(['show', 'projects', '--json'], { mute: true }),
]);
console.log(isBuilt ? 'Types: sound in all projects' : 'Types: see above');
const results = isBuilt ? await Promise.all([endToEnd(), nx(['run', 'twinkey:lint']), specs()]) : [false];
if (results.includes(false)) process.exitCode = 1;
