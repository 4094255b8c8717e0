// `npm start`: the whole of twinkey on this machine, with a sample fleet that is rotated at once. Stays up.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LiveView } from './live-view.js';
import { startFleet, watchFleet } from './rotate-fleet.js';
import { summary } from './summary.js';

const WITHIN_MS = 10 * 60_000;
const USAGE = `Usage: npm start [-- --fresh] [-- --data DIR]

  --data DIR   what it keeps between starts (default .twinkey/start)
  --fresh      forget what was kept`;

const { data, fresh } = readArguments();
if (fresh) rmSync(data, { recursive: true, force: true });
const isNew = !existsSync(join(data, 'azure'));
mkdirSync(data, { recursive: true });

console.log('Starting PostgreSQL, an Azure, four services and 36 consumer instances on this machine ...\n');
const fleet = await startFleet({
  folder: data,
  wellKnownPorts: true,
  onTrouble: (name, how) => {
    console.error(
      `${name} ended unexpectedly (${how}); it is started again. See ${join(data, 'logs', `${name}.log`)}`,
    );
  },
});

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) process.exit(1); // the second time means it
    stopping = true;
    console.log('\nStopping ...');
    void fleet.stop().then(() => process.exit(0));
  });
}

console.log(
  summary(await watchFleet(fleet, new LiveView(process.stdout), { withinMs: WITHIN_MS, ask: !isNew })),
);
const url = fleet.stack.url('console');
console.log(`
It stays up; the consumers go on calling. In another terminal:
  npx twinkey status${url.endsWith(':4700') ? '' : ` --url ${url}`}
  npx twinkey rotate speech-weu --wait${url.endsWith(':4700') ? '' : ` --url ${url}`}
Logs: ${join(data, 'logs')}. Stop it with Ctrl+C.`);

function readArguments(): { data: string; fresh: boolean } {
  try {
    const { values } = parseArgs({ options: { data: { type: 'string' }, fresh: { type: 'boolean' } } });
    return { data: values.data ?? '.twinkey/start', fresh: values.fresh ?? false };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : 'The arguments cannot be read.'}\n\n${USAGE}`);
    process.exit(2);
  }
}
