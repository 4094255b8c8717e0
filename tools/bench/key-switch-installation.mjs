// What a key switch goes through, and nothing else: the embedded Azure, PostgreSQL, the notifier, each in a process of its
// own. This process plays the rotator: it publishes, asks for the switch, and hears when everybody has moved.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import {
  emulatorConfig,
  readMessage,
  SwitchOutcome,
  SwitchRequested,
  topology,
  writeMessage,
} from '../../libs/contracts/dist/index.js';
import { startPostgres } from '../../libs/postgres-local/dist/index.js';
import { connectBus } from '../../libs/service-bus/dist/index.js';
import { answers, Child, freePort, waitUntil } from '../dev/dist/index.js';
import { publisher } from './publisher.mjs';

const ACCOUNT = 'bench-weu';
const program = (app) => fileURLToPath(new URL(`../../apps/${app}/bundle/main.mjs`, import.meta.url));

/** Leases that do not run out while it lasts, whoever says nothing. */
const TERMS = {
  TWINKEY_HEARTBEAT_SECONDS: '30',
  TWINKEY_LEASE_SECONDS: '3600',
  TWINKEY_KEY_CHANGED_SHARDS: '1',
  TWINKEY_LOG_LEVEL: 'warn',
  TWINKEY_DISABLE_INSTANCE_DISCOVERY: 'true',
  TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: 'true',
};

/** Ends what it started when it does not get there. */
export async function startInstallation() {
  const started = [];
  const stop = async () => {
    for (const end of started.reverse()) await end();
  };
  try {
    return { ...(await start(started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** `started`: how to end each part, in the order in which they came to be. */
async function start(started) {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-bench-'));
  started.push(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'logs'));
  const child = (name, args, env) =>
    new Child({
      name,
      script: program(name),
      args,
      env,
      logFile: join(folder, 'logs', `${name}.log`),
      pidFolder: folder,
      restart: false,
    });
  const file = (name, value) => {
    writeFileSync(join(folder, name), JSON.stringify(value));
    return join(folder, name);
  };
  const fleet = { accounts: [{ name: ACCOUNT, kind: 'TextAnalytics', resourceGroup: 'ai' }] };
  const envFile = join(folder, 'azure.env');
  const azure = child(
    'azure-local',
    [
      ...['--data', join(folder, 'azure'), '--env-file', envFile],
      ...['--fleet', file('fleet.json', fleet)],
      ...['--topology', file('topology.json', emulatorConfig(topology({ shards: 1 })))],
    ],
    {},
  );
  azure.start();
  started.push(() => azure.stop());
  const postgres = await startPostgres({ dataDir: join(folder, 'postgres'), durable: true });
  started.push(() => postgres.stop());
  const written = () => {
    try {
      return readFileSync(envFile, 'utf8');
    } catch {
      return '';
    }
  };
  await waitUntil(`the embedded Azure listens (${folder}/logs)`, () => written() !== '', {
    withinMs: 60_000,
  });
  const azureEnv = Object.fromEntries(
    [...written().matchAll(/^([A-Z0-9_]+)='?(.*?)'?$/gm)].map(([, name, value]) => [name, value]),
  );
  const port = await freePort();
  const env = { ...azureEnv, ...TERMS, TWINKEY_NOTIFIER_URL: `http://127.0.0.1:${port}` };
  const notifier = child('notifier', [], {
    ...env,
    DATABASE_URL: postgres.url,
    TWINKEY_NOTIFIER_PORT: String(port),
  });
  notifier.start();
  started.push(() => notifier.stop());
  await waitUntil(
    `the notifier is ready (${folder}/logs)`,
    () => answers(`http://127.0.0.1:${port}/health/ready`),
    {
      withinMs: 60_000,
    },
  );
  const bus = connectBus({ connectionString: env.SERVICEBUS_CONNECTION_STRING });
  started.push(() => bus.close());
  const publish = await publisher(env, ACCOUNT);
  const database = new pg.Client({ connectionString: postgres.url });
  await database.connect();
  started.push(() => database.end());
  const outcomes = new Map();
  await bus.receive({ queue: SwitchOutcome.entity }, {}, async ({ body }) => {
    const read = readMessage(SwitchOutcome, body);
    if (read.ok) outcomes.get(read.message.data.generation)?.(performance.now());
    return { settle: 'complete' };
  });

  let generation = 0;
  return {
    account: ACCOUNT,
    env,
    pids: { notifier: notifier.pid, azure: azure.pid, postgres: postgres.pid },
    /** Publishes the next generation and asks for the switch; the moments are of this process's clock. */
    async switchKey() {
      generation += 1;
      const { account, secret, slot } = await publish(generation);
      const answered = new Promise((resolve) => outcomes.set(generation, resolve));
      const publishedAt = performance.now();
      const now = new Date();
      const message = writeMessage(SwitchRequested, {
        id: `bench-${generation}`,
        source: 'twinkey/bench',
        time: now,
        data: {
          account,
          generation,
          request: 1,
          slot,
          fingerprint: generation.toString(16).padStart(32, '0'),
          secret,
          publishedAt: now.toISOString(),
          deadlineAt: new Date(Date.now() + 3_600_000).toISOString(),
          drainSeconds: 0,
          withoutConsumers: 'rotate',
          waived: [],
        },
      });
      await bus.send(SwitchRequested.entity, [{ id: message.id, body: message }]);
      return {
        fromPublicationMs: (await answered) - publishedAt,
        fromAnnouncementMs: await inNotifier(database, generation),
      };
    },
  };
}

/** By the one clock of the database, as the notifier noted both down. */
async function inNotifier(database, generation) {
  const { rows } = await database.query(
    `select extract(epoch from max(at) filter (where type = 'switch-acknowledged')
                             - min(at) filter (where type = 'key-change-announced')) * 1000 as ms
     from notifier.journal
     where type in ('switch-acknowledged', 'key-change-announced') and (data->>'generation')::int = $1`,
    [generation],
  );
  return Number(rows[0].ms);
}
