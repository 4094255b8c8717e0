// Feeds the embedded Azure 100,000 malformed inputs: FUZZ_COUNT says how many others, FUZZ_SEED which, FUZZ_INPUT one
// of them again. The tests feed it 2,000. What is given to the script goes to jest.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const {
  FUZZ_COUNT: count = '100000',
  FUZZ_SEED: seed = String(Math.floor(Date.now() / 1000) % 1_000_000_000),
} = process.env;
console.log(`${count} inputs of seed ${seed}`);
const started = Date.now();
const jest = [
  'node_modules/jest/bin/jest.js',
  '-c',
  'libs/azure-local/jest.config.mjs',
  'src/fuzz/',
  '--verbose',
];
const child = spawn(process.execPath, [...jest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    NODE_OPTIONS: '--experimental-vm-modules --no-warnings=ExperimentalWarning',
    FUZZ_COUNT: count,
    FUZZ_SEED: seed,
  },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('close', (code) => {
  const verdict = code === 0 ? 'no misbehaviour' : 'it misbehaved';
  console.log(`${count} inputs of seed ${seed}: ${verdict}, ${Math.round((Date.now() - started) / 1000)} s`);
  process.exitCode = code ?? 1;
});
