// What a person sees when a service starts in the wrong place: one message that says it all, or patience.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { emulatorConfig, topology } from '@twinkey/contracts';
import { answers, Child, freePort, SERVICES, waitUntil, type Service } from '@twinkey/dev';
import { startPostgres, type LocalPostgres } from '@twinkey/postgres-local';
import { runNode, type ProgramRun } from './run-node.js';

const program = (app: string) => fileURLToPath(new URL(`../../${app}/dist/main.js`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'twinkey-boot-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const care = file('twinkey.yaml', 'version: 1\npolicies:\n  monthly: { interval: P30D }\naccounts: []\n');
/** Enough for every service to get as far as its neighbours. */
const complete = {
  DATABASE_URL: 'postgres://twinkey:hidden-word@127.0.0.1:1/twinkey',
  SERVICEBUS_CONNECTION_STRING:
    'Endpoint=sb://localhost:1;SharedAccessKeyName=root;SharedAccessKey=hidden-word;UseDevelopmentEmulator=true',
  TWINKEY_FINGERPRINT_SALT: 'hidden-word-hidden-word',
  TWINKEY_FILE: care,
};

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a service with wrong configuration', () => {
  const wrong = (service: Service) => ({
    DATABASE_URL: 'mysql://twinkey:hidden-word@127.0.0.1:1/twinkey',
    TWINKEY_LOG_LEVEL: 'loud',
    TWINKEY_LOG_FORMT: 'pretty',
    [`TWINKEY_${service.toUpperCase()}_PORT`]: '70000',
  });
  const badFile = file(
    'bad.yaml',
    [
      'version: 1',
      'policies:',
      '  monthly: { interval: P30D, onOverdue: shrug }',
      'accounts:',
      '  - { id: speech, policy: weekly }',
      'colour: red',
      '',
    ].join('\n'),
  );
  let notifier: ProgramRun;
  let rotator: ProgramRun;
  let scheduler: ProgramRun;

  /** Side by side: most of a start that fails is loading modules. */
  beforeAll(async () => {
    [notifier, rotator, scheduler] = await Promise.all([
      runNode([program('notifier')], wrong('notifier')),
      runNode([program('rotator')], wrong('rotator')),
      runNode([program('scheduler')], { ...complete, TWINKEY_FILE: badFile }),
    ]);
  });

  it.each(['notifier', 'rotator'] as const)(
    '%s ends with every fault in one message and without a stack',
    (service) => {
      const { code, stdout, stderr } = service === 'notifier' ? notifier : rotator;
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      for (const sentence of [
        `The ${service} cannot start: `,
        'DATABASE_URL must be of the form postgres://',
        'TWINKEY_LOG_LEVEL must be debug, info, warn or error; it is "loud".',
        'TWINKEY_LOG_FORMT is not known. Did you mean TWINKEY_LOG_FORMAT?',
        `TWINKEY_${service.toUpperCase()}_PORT must be a whole number from 0 to 65535; it is "70000".`,
        'SERVICEBUS_CONNECTION_STRING or TWINKEY_SERVICE_BUS_NAMESPACE must be set.',
      ])
        expect(stderr).toContain(sentence);
      expect(stderr).not.toMatch(/^\s+at |node:internal|hidden-word/m);
    },
  );

  it('the scheduler names every place of a twinkey.yaml that breaks a rule, with its line', () => {
    expect(scheduler.code).toBe(1);
    expect(scheduler.stderr.trimEnd().split('\n')).toEqual([
      `${badFile} cannot be used:`,
      expect.stringMatching(/^ {2}line 3: policies\.monthly\.onOverdue: must be hold or force; /),
      expect.stringMatching(/^ {2}line 5: accounts\[0\]\.id: must be the ARM id/),
      expect.stringMatching(/^ {2}line 6: colour: is not a field of this place; .* Correct the file\.$/),
    ]);
  });
});

describe('the embedded Azure with a wrong command line', () => {
  it.each([
    [['--colour'], /^Unknown option '--colour'.* See --help\.\n$/],
    [['--port', 'x'], /^--port x: a port is a number from 0[^\n]*\n$/],
    [['--fleet', '/nowhere.json'], /^--fleet \/nowhere\.json: the file cannot be read\.\n$/],
  ])('%j: one sentence and exit code 2', async (args, sentence) => {
    const { code, stdout, stderr } = await runNode([program('azure-local'), ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(sentence);
  });
});

describe('services whose database and broker are not there yet', () => {
  const envFile = join(folder, 'azure.env');
  const topologyFile = file('topology.json', JSON.stringify(emulatorConfig(topology({ shards: 1 }))));
  const postgresAt = { dataDir: join(folder, 'postgres'), durable: false };
  const ports = new Map<Service, number>();
  const services = new Map<Service, Child>();
  const logOf = (service: Service) => join(folder, `${service}.log`);
  let postgres: LocalPostgres;
  let azure: Child;

  /** Both exist once, so that address and secrets are known, and are gone again. */
  beforeAll(async () => {
    postgres = await startPostgres(postgresAt);
    azure = newAzure();
    await Promise.all([postgres.stop(), untilAzureListens().then(() => azure.stop())]);
    const { SERVICEBUS_CONNECTION_STRING: bus = '' } = parseEnv(readFileSync(envFile, 'utf8'));
    const env = { ...complete, DATABASE_URL: postgres.url, SERVICEBUS_CONNECTION_STRING: bus };
    for (const service of SERVICES) {
      const port = await freePort();
      ports.set(service, port);
      const child = new Child({
        name: service,
        script: program(service),
        env: { ...env, [`TWINKEY_${service.toUpperCase()}_PORT`]: String(port) },
        logFile: logOf(service),
        pidFolder: folder,
        restart: false,
      });
      services.set(service, child);
      child.start();
    }
    await Promise.all(
      SERVICES.map((service) =>
        waitUntil(`${service} listens`, () => answers(`${url(service)}/health/live`), { withinMs: 60_000 }),
      ),
    );
  });
  afterAll(async () => {
    await Promise.all([...services.values()].map((child) => child.stop()));
    await azure.stop();
    await postgres.stop();
  });

  function newAzure(): Child {
    rmSync(envFile, { force: true });
    const child = new Child({
      name: 'azure',
      script: program('azure-local'),
      args: ['--data', join(folder, 'azure'), '--env-file', envFile, '--topology', topologyFile],
      env: {},
      logFile: join(folder, 'azure.log'),
      pidFolder: folder,
      restart: false,
    });
    child.start();
    return child;
  }

  const url = (service: Service) => `http://127.0.0.1:${ports.get(service) ?? 0}`;
  const untilAzureListens = () =>
    waitUntil('the embedded Azure listens', () => existsSync(envFile), { withinMs: 60_000 });

  /** The lines with which a service says that it waits, and for what. */
  const waits = (service: Service) =>
    readFileSync(logOf(service), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"Waiting for'))
      .map((line) => (JSON.parse(line) as { msg: string }).msg.replace(/: .*/, ''));

  async function readiness(service: Service) {
    const answer = await fetch(`${url(service)}/health/ready`);
    const { status, checks } = (await answer.json()) as {
      status: string;
      checks: Record<string, { status: string; code?: string; reason?: string }>;
    };
    return { http: answer.status, status, database: checks['database'], bus: checks['bus'] };
  }

  it.each(SERVICES)('%s is alive, not ready, and says why', async (service) => {
    expect((await fetch(`${url(service)}/health/live`)).status).toBe(200);
    expect(await readiness(service)).toEqual({
      http: 503,
      status: 'starting',
      database: {
        status: 'down',
        code: 'database-unreachable',
        reason: expect.stringContaining(`127.0.0.1:${postgres.port}`),
      },
      bus: { status: 'down', code: 'bus-unreachable', reason: expect.stringContaining('ECONNREFUSED') },
    });
    expect((await fetch(`${url(service)}/v1/accounts`)).status).toBe(503);
  });

  it('all become ready by themselves when their neighbours appear, and logged one line for each that was missing', async () => {
    postgres = await startPostgres({ ...postgresAt, port: postgres.port });
    await waitUntil(
      'all have the database and wait for the bus',
      async () => {
        const all = await Promise.all(SERVICES.map((service) => readiness(service)));
        return (
          all.every(
            ({ database, bus, http }) => http === 503 && database?.status === 'up' && bus?.status === 'down',
          ) && SERVICES.every((service) => waits(service).includes('Waiting for Service Bus'))
        );
      },
      { withinMs: 60_000 },
    );
    azure = newAzure();
    await untilAzureListens();
    await waitUntil(
      'all are ready',
      async () => {
        const all = await Promise.all(SERVICES.map((service) => readiness(service)));
        return all.every(({ http, status }) => http === 200 && status === 'ready');
      },
      { withinMs: 60_000 },
    );
    for (const service of SERVICES) {
      expect({ service, waits: waits(service) }).toEqual({
        service,
        waits: ['Waiting for the database', 'Waiting for Service Bus'],
      });
      expect(services.get(service)?.running).toBe(true);
      const log = readFileSync(logOf(service), 'utf8');
      expect(log).not.toMatch(/"stack"|\n\s+at |"level":"error"|hidden-word/);
    }
  });
});
