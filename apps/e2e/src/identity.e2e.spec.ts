// Each service is somebody: it has an identity of its own, with its roles of the table and no others. And the services ask
// everybody who they are: people by the role of the route, instances by their own identity.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { accountIdOf, Child, SERVICES, waitUntil, type Service } from '@twinkey/dev';
import pg from 'pg';
import { AzureControl } from './azure-control.js';
import { entraToken } from './entra-token.js';
import { Fleet, textAccount } from './fleet.js';
import type { Answer, Assignment, Identity } from './removed-roles.js';
import { runNode, type ProgramRun } from './run-node.js';

const audience = 'api://twinkey';
const bin = fileURLToPath(new URL('../../cli/bin/twinkey.mjs', import.meta.url));
const policies = {
  calm: {
    interval: 'PT1H',
    acknowledgeWithin: 'PT1M',
    onOverdue: 'hold',
    drain: 'PT0.2S',
    firstRotation: 'after-interval',
  },
};

const { custom } = JSON.parse(
  readFileSync(new URL('../../../deploy/roles.json', import.meta.url), 'utf8'),
) as { custom: Record<string, { actions: string[]; dataActions: string[] }> };

const guarded = textAccount('guarded', 'calm');

let fleet: Fleet;
let control: AzureControl;
/** Variables of each identity. */
const identities: Record<string, Record<string, string>> = {};
/** What each service is started with. */
const ofServices: Partial<Record<Service, Record<string, string>>> = {};
const objectIds: Partial<Record<Service, string>> = {};

beforeAll(async () => {
  fleet = await Fleet.start({
    accounts: [guarded],
    consumers: [{ consumer: 'reader', instances: 2, accounts: ['guarded'] }],
    policies,
    env: { TWINKEY_API_AUDIENCE: audience },
    serviceEnv: ofServices,
    beforeKeysChange: async (env) => {
      control = new AzureControl(
        env['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? '',
        env['NODE_EXTRA_CA_CERTS'] ?? '',
      );
      await register({ name: 'twinkey-api', identifierUris: [audience] });
      for (const service of SERVICES) {
        const assignments = rolesOf(service);
        const { objectId, ...variables } = await register({ name: service, assignments });
        ofServices[service] = variables;
        objectIds[service] = objectId ?? '';
      }
      // The sample consumers have the environment's own identity. Its app role makes it a reader and no more.
      await register({ name: 'default', assignments: rolesOf('consumer'), ...granted('consumer.reader') });
      for (const role of ['read', 'operate', 'admin', 'consumer.writer']) {
        const { objectId: _, ...variables } = await register({ name: role, ...granted(role) });
        identities[role] = variables;
      }
    },
  });
}, 180_000);

afterAll(() => fleet.stop());

const granted = (role: string) => ({ appRoles: [{ resource: audience, role: `twinkey.${role}` }] });

/** What one identity of an installation may do; of a development cluster, so with no account named. */
function rolesOf(identity: string): readonly Assignment[] {
  const file = new URL('../../../deploy/kubernetes/overlays/dev/applications.json', import.meta.url);
  const { applications } = JSON.parse(readFileSync(file, 'utf8')) as {
    applications: { name: string; assignments?: Assignment[] }[];
  };
  const own = applications.find(({ name }) => name === identity)?.assignments ?? [];
  // An account and the subscription that it is in are one place where no account is named.
  return [...new Map(own.map((one) => [JSON.stringify(one), one])).values()];
}

async function register(application: object): Promise<Record<string, string>> {
  const { status, text } = await control.call('POST', '/_local/applications', application);
  if (status !== 201) throw new Error(text);
  const { clientId, clientSecret, objectId } = JSON.parse(text) as Record<string, string>;
  return {
    AZURE_CLIENT_ID: clientId ?? '',
    AZURE_CLIENT_SECRET: clientSecret ?? '',
    objectId: objectId ?? '',
  };
}

function as(role: string, ...words: readonly string[]): Promise<ProgramRun> {
  const { environment } = fleet.stack;
  const whole = { ...environment, ...identities[role], TWINKEY_URL: fleet.stack.url('console') };
  return runNode([bin, ...words], whole);
}

describe('where tokens are asked for', () => {
  it('a rotation runs through when each service has its roles of the table: its instances prove who they are, and what they acknowledge', async () => {
    await waitUntil('the consumers call', () => fleet.load.counters().calls > 20, { withinMs: 120_000 });
    const run = await as('operate', 'rotate', 'guarded', '--wait', '--reason', 'audit', '-o', 'json');
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    expect(await fleet.refused()).toMatchObject({ seenByCallers: 0, seenByAzure: 0 });
  });

  it('the audit names the identity that the token proved, whatever the request says', async () => {
    const { stdout } = await as('read', 'rotations', 'list', '-o', 'json');
    const { rotations } = JSON.parse(stdout) as { rotations: { by: string | null }[] };
    const asked = rotations.map(({ by }) => by);
    expect(asked).toContain(identities['operate']?.['AZURE_CLIENT_ID']);
  });

  it('who may only look is told which role it lacks, and nothing happens', async () => {
    expect(await as('read', 'status')).toMatchObject({ code: 0 });
    const refused = await as('read', 'rotate', 'guarded');
    expect(refused).toMatchObject({ code: 7 });
    expect(refused.stderr).toContain('twinkey.operate');
  });

  it('who has no token, or none for this API, gets nowhere', async () => {
    for (const service of ['console', 'notifier', 'scheduler'] as const) {
      const path = service === 'notifier' ? '/v1/consumers' : '/v1/accounts';
      const url = fleet.stack.url(service) + path;
      expect((await fetch(url)).status).toBe(401);
      expect((await fetch(url, { headers: { authorization: 'Bearer nonsense' } })).status).toBe(401);
    }
  });

  it('an identity of another consumer can neither be this one nor speak for its instances', async () => {
    const token = await tokenOf('consumer.writer');
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const notifier = fleet.stack.url('notifier');
    const register = await fetch(`${notifier}/v1/instances`, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        consumer: 'reader',
        name: 'spy',
        boot: crypto.randomUUID(),
        accounts: ['guarded'],
        channel: 'heartbeat',
      }),
    });
    expect(register.status).toBe(403);
    expect(await register.json()).toMatchObject({ code: 'consumer-refused' });

    const admin = { headers: { authorization: `Bearer ${await tokenOf('admin')}` } };
    const shown = (await (await fetch(`${notifier}/v1/accounts/guarded/switch`, admin)).json()) as {
      instances: { instance: string; boot?: string }[];
    };
    const [victim] = shown.instances;
    const heartbeat = await fetch(`${notifier}/v1/instances/${victim?.instance ?? ''}/heartbeat`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ boot: crypto.randomUUID(), accounts: [] }),
    });
    expect(heartbeat.status).toBe(403);
    expect(await heartbeat.json()).toMatchObject({ code: 'another-identity' });
    const goodbye = await fetch(`${notifier}/v1/instances/${victim?.instance ?? ''}`, {
      method: 'DELETE',
      headers: { authorization: headers.authorization },
    });
    expect(goodbye.status).toBe(403);
    expect(await goodbye.json()).toMatchObject({ code: 'another-identity' });
  });
});

describe('services beside which a newer version has begun', () => {
  it('go on rotating on tables that have more columns, with messages and states that say more', async () => {
    const more = readFileSync(
      new URL('../../../tools/upgrade/what-nobody-knows.sql', import.meta.url),
      'utf8',
    );
    const client = new pg.Client({ connectionString: fleet.stack.environment['DATABASE_URL'] });
    await client.connect();
    try {
      // Statements that the services have prepared are used on.
      for (const service of SERVICES)
        await client.query(`begin; set local search_path to ${service}; ${more}; commit`);
      const run = await as('operate', 'rotate', 'guarded', '--wait', '-o', 'json');
      expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: expect.any(String) });
      const { rows } = await client.query<{ count: string }>(
        `select count(*) from rotator.outbox where body->'unknownYet' is not null`,
      );
      expect(Number(rows[0]?.count)).toBeGreaterThan(0);
    } finally {
      await client.end();
    }
    expect(await fleet.refused()).toMatchObject({ seenByCallers: 0, seenByAzure: 0 });
  });
});

describe('a service that is to sign in to the database with its identity', () => {
  it('presents a token of that identity, writes it nowhere, and waits while the database does not know it', async () => {
    const url = new URL(fleet.stack.environment['DATABASE_URL'] ?? '');
    url.password = '';
    const logFile = join(fleet.folder, 'logs', 'console-with-token.log');
    const console = new Child({
      name: 'console-with-token',
      script: fileURLToPath(new URL('../../console/bundle/main.mjs', import.meta.url)),
      env: {
        ...fleet.stack.environment,
        ...ofServices.console,
        DATABASE_URL: url.toString(),
        TWINKEY_DATABASE_ENTRA: 'true',
        TWINKEY_CONSOLE_PORT: '0',
        TWINKEY_METRICS_PORT: '0',
      },
      logFile,
      pidFolder: join(fleet.folder, 'pids'),
      restart: false,
    });
    console.start();
    try {
      const told = () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : '');
      // That it has one is how it comes to be refused: without, it would say that none can be had.
      await waitUntil(
        'it tells that its token is not taken',
        () => told().includes('database-token-refused'),
        {
          withinMs: 60_000,
        },
      );
      expect(told()).not.toMatch(/eyJ|database-token-unavailable/);
      expect(console.running).toBe(true);
    } finally {
      await console.stop();
    }
  });
});

describe('an installation that works, asked about by the doctor as each of its services', () => {
  let answers: readonly Answer[];

  beforeAll(async () => {
    const services = SERVICES.map((service): [string, Identity] => {
      const { AZURE_CLIENT_ID: clientId = '', AZURE_CLIENT_SECRET: clientSecret = '' } =
        ofServices[service] ?? {};
      const application = { name: service, assignments: rolesOf(service) };
      return [service, { application, clientId, clientSecret }];
    });
    const file = join(fleet.folder, 'identities.json');
    writeFileSync(file, JSON.stringify(Object.fromEntries(services)), { mode: 0o600 });
    const program = fileURLToPath(new URL('../dist/removed-roles.js', import.meta.url));
    const environment = { ...fleet.stack.environment, TWINKEY_URL: fleet.stack.url('console') };
    const { code, stdout, stderr } = await runNode([program, file], environment);
    if (code !== 0) throw new Error(stderr);
    answers = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Answer);
  });

  it('is in order for each of them, from the services that answer to the rights at each thing', () => {
    expect(answers.filter(({ removed }) => removed === null)).toEqual(
      SERVICES.map((service) => ({ service, removed: null, code: 0, wrong: [] })),
    );
  });

  it.each(
    SERVICES.flatMap((service) =>
      rolesOf(service).map((assignment, index): [Service, string, number] => [
        service,
        `${roleOf(assignment)} at ${assignment.scope?.split('/').slice(-3).join('/') ?? 'the account'}`,
        index,
      ]),
    ),
  )(
    'is missed one role only when the %s lacks it, and the command gives it back: %s',
    (service, _, index) => {
      const assignment = rolesOf(service)[index] ?? {};
      const { code, wrong } = answers.find((one) => one.service === service && one.removed === index) ?? {};
      expect(wrong?.map(({ mend }) => mend)).toEqual([
        `az role assignment create --assignee-object-id ${objectIds[service] ?? ''} --assignee-principal-type ServicePrincipal --role "${idOf(roleOf(assignment))}" --scope ${placeOf(assignment)}`,
      ]);
      // Without dead letters of others the console is poorer, and not unfit.
      const isNeeded = wrong?.[0]?.outcome === 'failed';
      expect(code).toBe(isNeeded ? 8 : 0);
      if (!isNeeded)
        expect([service, wrong?.[0]?.detail]).toEqual(['console', expect.stringContaining('dead letters')]);
    },
  );
});

/** The embedded Azure knows roles of ours by what they allow. */
function roleOf({ role, actions = [], dataActions = [] }: Assignment): string {
  const allowed = [...actions, ...dataActions];
  const own = Object.entries(custom).filter(([, one]) =>
    [...one.actions, ...one.dataActions].every((action) => allowed.includes(action)),
  );
  const [largest] = own.toSorted(([, one], [, other]) => other.actions.length - one.actions.length);
  return role ?? largest?.[0] ?? '';
}

/** As `az` is told it: a role of ours is looked up, because its name ends in what tells installations apart. */
function idOf(role: string): string {
  return role.startsWith('twinkey ')
    ? `$(az role definition list --custom-role-only true --query "[?starts_with(roleName, '${role}')].name | [0]" --output tsv)`
    : role;
}

function placeOf({ scope }: Assignment): string {
  if (scope === undefined)
    return accountIdOf(guarded, fleet.stack.environment['AZURE_SUBSCRIPTION_ID'] ?? '');
  if (scope.includes('/vaults/')) return '"$(az keyvault show --name localhost --query id --output tsv)"';
  const [, below = ''] = scope.split('/namespaces/local');
  return `"$(az servicebus namespace list --query "[?name=='localhost'].id" --output tsv)${below}"`;
}

function tokenOf(role: string): Promise<string> {
  const { AZURE_CLIENT_ID: clientId = '', AZURE_CLIENT_SECRET: clientSecret = '' } = identities[role] ?? {};
  return entraToken(fleet.stack.environment, { clientId, clientSecret }, `${audience}/.default`);
}
