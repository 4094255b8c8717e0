// How long a key switch takes: from the commit of the announcement in the notifier to the last acknowledgement that it
// knows, by the clock of its database. Both ends are moments of the notifier, so that nothing else is measured: what comes
// before is the rotator's outbox, what comes after is its own answer. Beside it the whole, from the publication in Key Vault
// to the outcome that the rotator hears, and the processor time of each part, which depends less on what else the
// machine does. `--instances 1,10,1000`, `--switches 30`, `--processes 2` of consumers, `-o json`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startInstallation } from './key-switch-installation.mjs';
import { processorMs } from './processor-time.mjs';

const consumers = fileURLToPath(new URL('key-switch-consumers.mjs', import.meta.url));
/** What is aimed at on a machine that has nothing else to do, in milliseconds at the median, by number of instances. */
const GOALS = { 1: 5, 10: 15, 1000: 500 };
/** So many instances of one process may read Key Vault at once without measuring only that. */
const MOST_READERS = 20;
/** Switches before the measured ones, so that no compiler is counted: of few instances many, for they have few messages each. */
const warmUps = (instances) => (instances <= MOST_READERS ? 100 : 5);

const round = (value) => Math.round(value * 10) / 10;
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function listening(installation, kind, instances, processes) {
  const shares = Array.from(
    { length: Math.min(processes, instances) },
    (_, index) =>
      Math.floor(((index + 1) * instances) / processes) - Math.floor((index * instances) / processes),
  );
  const children = (instances <= 10 ? [instances] : shares).map((share, index) =>
    fork(
      consumers,
      [
        JSON.stringify({
          kind,
          consumer: `bench-${index + 1}`,
          account: installation.account,
          instances: share,
          connectionString: installation.env.SERVICEBUS_CONNECTION_STRING,
        }),
      ],
      { env: { ...process.env, ...installation.env } },
    ),
  );
  await Promise.all(children.map((child) => once(child, 'message')));
  return children;
}

async function bench(kind, instances, switches, processes) {
  const installation = await startInstallation();
  let children = [];
  try {
    await installation.switchKey();
    children = await listening(installation, kind, instances, processes);
    const pids = { ...installation.pids, consumers: children.map(({ pid }) => pid) };
    for (let warm = 0; warm < warmUps(instances); warm += 1) await installation.switchKey();
    const before = processorMs(pids);
    const times = [];
    for (let one = 0; one < switches; one += 1) times.push(await installation.switchKey());
    const used = processorMs(pids);
    const announced = times.map(({ fromAnnouncementMs }) => fromAnnouncementMs);
    return {
      consumers: kind,
      instances,
      switches,
      p50Ms: round(median(announced)),
      maxMs: round(Math.max(...announced)),
      goalMs: GOALS[instances] ?? null,
      wholeP50Ms: round(median(times.map(({ fromPublicationMs }) => fromPublicationMs))),
      processorMsPerSwitch: Object.fromEntries(
        Object.keys(pids).map((part) => [part, round((used[part] - before[part]) / switches)]),
      ),
      load: round(loadavg()[0]),
    };
  } finally {
    for (const child of children) {
      child.disconnect();
      if (child.exitCode === null) await once(child, 'exit');
    }
    await installation.stop();
  }
}

const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: '1,10,1000' },
    switches: { type: 'string', default: '30' },
    processes: { type: 'string', default: '2' },
    output: { type: 'string', short: 'o', default: 'table' },
  },
});
const whole = (name, text) => {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name} ${values[name]}: whole numbers, 1 or more.`);
  process.exit(2);
};
const sizes = values.instances.split(',').map((text) => whole('instances', text));
const [switches, processes] = [whole('switches', values.switches), whole('processes', values.processes)];
const rows = [];
for (const kind of ['channel', 'library'])
  for (const instances of sizes) {
    if (kind === 'library' && instances > MOST_READERS) continue;
    rows.push(
      await bench(kind, instances, instances > MOST_READERS ? Math.ceil(switches / 3) : switches, processes),
    );
  }
if (values.output === 'json') console.log(JSON.stringify(rows));
else
  console.table(
    rows.map(({ processorMsPerSwitch, ...row }) => ({
      ...row,
      ...Object.fromEntries(Object.entries(processorMsPerSwitch).map(([part, ms]) => [`cpu ${part}`, ms])),
    })),
  );
