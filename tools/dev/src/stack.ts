// The whole of twinkey on this machine: PostgreSQL, an Azure, the four services. Each is started when what it
// needs answers, never after a time. The services are the very programs of production; only their environment differs.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emulatorConfig, topology } from '@twinkey/contracts';
import { startPostgres, type LocalPostgres } from '@twinkey/postgres-local';
import { Child } from './child.js';
import { readEnvFile } from './env-file.js';
import { writeAzureFleet, writeTwinkeyFile, type Policies } from './fleet-files.js';
import { freePort } from './free-port.js';
import { endOrphans } from './orphans.js';
import type { SampleAccount } from './sample-fleet.js';
import { answers, waitUntil } from './wait-until.js';

export const SERVICES = ['scheduler', 'rotator', 'notifier', 'console'] as const;
export type Service = (typeof SERVICES)[number];

const SHARDS = 2;
/** What a killed service held comes back after this time; the SDK renews the locks of living ones. */
const LOCK = 'PT10S';
const root = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * Short times, so that a crash is over in seconds. The consumers' lease is not one of them: on a machine that is busy
 * starting everything at once an instance may well be late with a heartbeat.
 */
const QUICK = {
  TWINKEY_KEY_CHANGED_SHARDS: String(SHARDS),
  TWINKEY_QUIESCENCE_SECONDS: '3',
  TWINKEY_CALL_DEADLINE_SECONDS: '3',
  TWINKEY_ACCOUNT_LEASE_SECONDS: '9',
  TWINKEY_SWEEP_SECONDS: '1',
  TWINKEY_TICK_SECONDS: '0.5',
  TWINKEY_HEARTBEAT_SECONDS: '2',
  TWINKEY_LEASE_SECONDS: '20',
  TWINKEY_REREAD_SECONDS: '10',
  TWINKEY_CLOCK_SKEW_SECONDS: '0.5',
  TWINKEY_DISABLE_INSTANCE_DISCOVERY: 'true',
  TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: 'true',
};

export interface StackSettings {
  /** Everything the stack keeps is in here. */
  readonly folder: string;
  readonly accounts: readonly SampleAccount[];
  readonly policies?: Policies;
  /** Ports that people know (4700 and following) where they are free; otherwise any. */
  readonly wellKnownPorts: boolean;
  /** What is run: the one-file program, which starts sooner, or the compiled files as an image has them. */
  readonly program?: 'bundle' | 'dist';
  /** The built checkout that services are run from; this one unless told. */
  readonly programs?: string;
  /** Overrides of the services' environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What one service is given beside that: an identity of its own, for instance. Read when it is started. */
  readonly serviceEnv?: Readonly<Partial<Record<Service, Readonly<Record<string, string>>>>>;
  /** What the process of the embedded Azure is started with; nothing of it reaches the services. */
  readonly azureEnv?: Readonly<Record<string, string>>;
  /** Called when the embedded Azure answers and nothing runs yet that could have a key changed. */
  readonly beforeKeysChange?: (environment: Readonly<Record<string, string>>) => Promise<void>;
  /** Called when a service is ready for the first time; others may still be starting. */
  readonly onReady?: (service: Service, environment: Readonly<Record<string, string>>) => void;
  readonly onTrouble?: (service: string, how: string) => void;
}

export class Stack {
  private constructor(
    readonly settings: StackSettings,
    readonly environment: Readonly<Record<string, string>>,
    readonly ports: Readonly<Record<Service, number>>,
    private postgres: LocalPostgres | undefined,
    private readonly azure: Child,
    private readonly services: Readonly<Record<Service, Child>>,
  ) {}

  readonly #second: Child[] = [];

  /** Resolves when all services are ready. Stops what it started when one of them does not get there. */
  static async start(settings: StackSettings): Promise<Stack> {
    const { folder } = settings;
    mkdirSync(join(folder, 'logs'), { recursive: true });
    await endOrphans(pidsIn(folder));
    const [postgres, azure] = await both(startDatabase(folder), startAzureAndCount(settings));
    try {
      const azureEnv = azureEnvironment(folder);
      const file = join(folder, 'twinkey.yaml');
      writeTwinkeyFile(file, azureEnv['AZURE_SUBSCRIPTION_ID'] ?? '', settings);
      const ports = await choosePorts(settings.wellKnownPorts);
      const environment = {
        ...azureEnv,
        ...QUICK,
        DATABASE_URL: process.env['DATABASE_URL'] ?? postgres?.url ?? '',
        TWINKEY_FILE: file,
        TWINKEY_FINGERPRINT_SALT: saltOf(folder),
        TWINKEY_URL: `http://127.0.0.1:${ports.console}`,
        TWINKEY_NOTIFIER_URL: `http://127.0.0.1:${ports.notifier}`,
        TWINKEY_CONSOLE_PORT: String(ports.console),
        TWINKEY_SCHEDULER_PORT: String(ports.scheduler),
        TWINKEY_ROTATOR_PORT: String(ports.rotator),
        TWINKEY_NOTIFIER_PORT: String(ports.notifier),
        TWINKEY_METRICS_PORT: await metricsPort(settings.wellKnownPorts, ports),
        ...settings.env,
      };
      const services = Object.fromEntries(
        SERVICES.map((name) => [name, serviceChild(name, environment, settings)]),
      ) as Record<Service, Child>;
      const stack = new Stack(settings, environment, ports, postgres, azure, services);
      try {
        for (const child of Object.values(services)) child.start();
        await Promise.all(
          SERVICES.map(async (name) => {
            await stack.ready([name]);
            settings.onReady?.(name, environment);
          }),
        );
      } catch (error) {
        await stack.stop();
        throw error;
      }
      return stack;
    } catch (error) {
      await azure.stop();
      await postgres?.stop();
      throw error;
    }
  }

  url(service: Service): string {
    return `http://127.0.0.1:${this.ports[service]}`;
  }

  /** The origin of the embedded Azure, where its ledger and faults are. */
  get azureOrigin(): string {
    return this.environment['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? '';
  }

  async ready(names: readonly Service[] = SERVICES): Promise<void> {
    await Promise.all(
      names.map((name) =>
        waitUntil(
          `${name} is ready (see ${join(this.settings.folder, 'logs', `${name}.log`)})`,
          () => answers(`${this.url(name)}/health/ready`),
          {
            withinMs: 60_000,
          },
        ),
      ),
    );
  }

  service(name: Service): Child {
    return this.services[name];
  }

  /** Another process of a service, beside the first, as a deployment with two replicas has it. Resolves when it is ready. */
  async startSecond(name: Service): Promise<Child> {
    return (await this.startReplica(name, `${name}-2`)).child;
  }

  /** The same under a name of its own, and from another checkout if it is given. It answers at `port`. */
  async startReplica(
    name: Service,
    as: string,
    programs = this.settings.programs,
  ): Promise<{ readonly child: Child; readonly port: number }> {
    const port = await freePort();
    const env = {
      ...this.environment,
      [`TWINKEY_${name.toUpperCase()}_PORT`]: String(port),
      TWINKEY_METRICS_PORT: '0',
    };
    const settings = { ...this.settings, ...(programs === undefined ? {} : { programs }) };
    const child = serviceChild(name, env, settings, as);
    this.#second.push(child);
    child.start();
    await waitUntil(`${as} is ready`, () => answers(`http://127.0.0.1:${port}/health/ready`), {
      withinMs: 60_000,
    });
    return { child, port };
  }

  /** The embedded Azure dies without a goodbye; what it had answered is in its folder. */
  async killAzure(): Promise<void> {
    await this.azure.kill();
  }

  /** Starts it again on its folder and its ports. */
  async startAzureAgain(): Promise<void> {
    rmSync(join(this.settings.folder, 'azure.env'), { force: true });
    this.azure.start();
    await untilAzureListens(this.settings.folder);
  }

  /** PostgreSQL dies without a goodbye, and comes back with what was committed, on the same port. */
  killDatabase(): void {
    if (this.postgres === undefined) throw new Error('DATABASE_URL names a server that is not ours to kill');
    process.kill(this.postgres.pid, 'SIGKILL');
  }

  async startDatabaseAgain(): Promise<void> {
    const { port } = this.postgres ?? {};
    this.postgres = await startDatabase(this.settings.folder, port);
  }

  /** Services first, so that none of them sees its database or broker go away. */
  async stop(): Promise<void> {
    const services = [...Object.values(this.services), ...this.#second];
    await Promise.all(services.map((child) => child.stop()));
    await this.azure.stop();
    await this.postgres?.stop();
  }
}

/** Where the processes of a stack are noted down. */
function pidsIn(folder: string): string {
  return join(folder, 'pids');
}

/** Both, or neither: when one of them does not start, the other one is stopped. */
async function both(
  database: Promise<LocalPostgres | undefined>,
  azure: Promise<Child>,
): Promise<[LocalPostgres | undefined, Child]> {
  const [first, second] = await Promise.allSettled([database, azure]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  if (first.status === 'fulfilled') await first.value?.stop();
  if (second.status === 'fulfilled') await second.value.stop();
  throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason;
}

async function startDatabase(folder: string, port?: number): Promise<LocalPostgres | undefined> {
  if (process.env['DATABASE_URL'] !== undefined) return undefined;
  const at = { dataDir: join(folder, 'postgres'), durable: true };
  return startPostgres(port === undefined ? at : { ...at, port });
}

async function startAzureAndCount(settings: StackSettings): Promise<Child> {
  const azure = await startAzure(settings);
  try {
    await settings.beforeKeysChange?.({ ...azureEnvironment(settings.folder), ...QUICK });
  } catch (error) {
    await azure.stop();
    throw error;
  }
  return azure;
}

/** What the embedded Azure says of itself, for programs of ours. */
function azureEnvironment(folder: string): Record<string, string> {
  return withEntra(readEnvFile(join(folder, 'azure.env')));
}

async function startAzure({ folder, accounts, azureEnv = {}, onTrouble }: StackSettings): Promise<Child> {
  const envFile = join(folder, 'azure.env');
  const fleetFile = join(folder, 'azure-fleet.json');
  const topologyFile = join(folder, 'service-bus.json');
  rmSync(envFile, { force: true });
  writeAzureFleet(fleetFile, accounts);
  writeFileSync(
    topologyFile,
    JSON.stringify(emulatorConfig(topology({ shards: SHARDS }), { lockDuration: LOCK }), null, 2),
  );
  let died: string | undefined;
  const azure = new Child({
    name: 'azure',
    script: join(root, 'apps/azure-local/bundle/main.mjs'),
    args: [
      '--data',
      join(folder, 'azure'),
      '--env-file',
      envFile,
      '--fleet',
      fleetFile,
      '--topology',
      topologyFile,
    ],
    env: azureEnv,
    logFile: join(folder, 'logs', 'azure.log'),
    pidFolder: pidsIn(folder),
    restart: false,
    onUnexpectedExit: (how) => {
      died = how;
      onTrouble?.('azure', how);
    },
  });
  azure.start();
  await untilAzureListens(folder, () => died);
  return azure;
}

/** It writes its file of variables when it listens. Gives up at once when it `died`. */
async function untilAzureListens(folder: string, died?: () => string | undefined): Promise<void> {
  const log = join(folder, 'logs', 'azure.log');
  await waitUntil(
    `the embedded Azure listens (see ${log})`,
    () => {
      const how = died?.();
      if (how !== undefined) throw new Error(`the embedded Azure ended (${how}); see ${log}`);
      return existsSync(join(folder, 'azure.env'));
    },
    { withinMs: 30_000 },
  );
}

function serviceChild(
  name: Service,
  env: Readonly<Record<string, string>>,
  { folder, onTrouble, serviceEnv = {}, program = 'bundle', programs = root }: StackSettings,
  as: string = name,
): Child {
  return new Child({
    name: as,
    script: join(programs, 'apps', name, program === 'bundle' ? 'bundle/main.mjs' : 'dist/main.js'),
    env: { ...env, ...serviceEnv[name] },
    logFile: join(folder, 'logs', `${as}.log`),
    pidFolder: pidsIn(folder),
    restart: true,
    onUnexpectedExit: (how) => onTrouble?.(as, how),
  });
}

/** Service Bus is reached with an Entra token over TLS, as in production, and not by the connection string. */
function withEntra({
  SERVICEBUS_CONNECTION_STRING: connection,
  ...rest
}: Record<string, string>): Record<string, string> {
  const namespace = /Endpoint=sb:\/\/([^;/]+)/.exec(connection ?? '')?.[1];
  if (namespace === undefined) throw new Error('the embedded Azure did not say where its Service Bus is');
  return { ...rest, TWINKEY_SERVICE_BUS_NAMESPACE: namespace };
}

async function choosePorts(wellKnown: boolean): Promise<Record<Service, number>> {
  const wanted = { console: 4700, scheduler: 4701, rotator: 4702, notifier: 4703 };
  const ports: [Service, number][] = [];
  for (const service of SERVICES)
    ports.push([service, await freePort(wellKnown ? wanted[service] : undefined)]);
  return Object.fromEntries(ports) as Record<Service, number>;
}

/** Health and metrics are 10 above each well known port; where one of those is taken, any port does for all of them. */
async function metricsPort(wellKnown: boolean, ports: Readonly<Record<Service, number>>): Promise<string> {
  if (!wellKnown) return '0';
  for (const port of Object.values(ports)) if ((await freePort(port + 10)) !== port + 10) return '0';
  return '';
}

/** Fingerprints stay comparable as long as the folder lives. */
function saltOf(folder: string): string {
  const file = join(folder, 'fingerprint-salt');
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}
