// Everything that must hold, in three streams once the programs are built: the end-to-end tests wait a lot, the rest
// computes a lot. (In one run nx starts the end-to-end tests and lint last, and they are the longest.)
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs nx; resolves to whether all of it succeeded, with its output in one piece unless it is `live`. */
function nx(words, { live = false } = {}) {
  const child = spawn(process.execPath, ['tools/nx.mjs', ...words], {
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
      nx(['run-many', '-t', 'lint', 'typecheck', '--parallel=1']),
      nx(['run-many', '-t', 'test'], { live: true }),
    ])
  : [false];
if (results.includes(false)) process.exitCode = 1;
