// The doctor against an Azure that enforces roles: the very applications that a development cluster gets, which are written
// from the table of roles. Everything is in this process.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ClientSecretCredential, type TokenCredential } from '@azure/identity';
import { emulatorConfig, ROLES, topology } from '@twinkey/contracts';
import { startTestAzure, testDatabase, type TestAzure, type TestDatabase } from '@twinkey/testing';
import { Client } from 'pg';
import { examine } from './examine.js';
import type { Finding } from './finding.js';
import { probesFor } from './probes.js';
import { run } from '../run.js';
import { DATABASE_TOKEN_SCOPE, SERVICE_NAMES, type Environment, type ServiceName } from '@twinkey/settings';

interface Assignment {
  readonly role?: string;
  readonly actions?: readonly string[];
  readonly dataActions?: readonly string[];
  readonly scope?: string;
}

interface Application {
  readonly name: string;
  readonly assignments?: readonly Assignment[];
}

const { applications } = JSON.parse(
  readFileSync(
    new URL('../../../../deploy/kubernetes/overlays/dev/applications.json', import.meta.url),
    'utf8',
  ),
) as { applications: readonly Application[] };
const assignmentsOf = (name: string): readonly Assignment[] =>
  applications.find((one) => one.name === name)?.assignments ?? [];

const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
const file = join(folder, 'twinkey.yaml');
let azure: TestAzure;
let database: TestDatabase;
let account: string;

beforeAll(async () => {
  [azure, database] = await Promise.all([
    startTestAzure({
      fleet: [{ name: 'speech', kind: 'AIServices', resourceGroup: 'ai' }],
      topology: emulatorConfig(topology({ shards: 2 })) as never,
      limits: { arm: 'off', vault: 'off' },
    }),
    testDatabase(),
  ]);
  account = `/subscriptions/${azure.subscriptionId}/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech`;
  writeFileSync(
    file,
    `version: 1\npolicies: { standard: { interval: P30D } }\naccounts: [{ id: ${account}, policy: standard }]\n`,
  );
  // Service Bus' client takes no authorities of one's own; NODE_EXTRA_CA_CERTS would need a process of its own.
  const connect = tls.connect.bind(tls) as (...parts: readonly unknown[]) => tls.TLSSocket;
  const trusting = (...parts: readonly unknown[]) =>
    connect(...parts.map((part) => (isOptions(part) ? { ...part, ca: azure.ca } : part)));
  jest.spyOn(tls, 'connect').mockImplementation(trusting);
});

afterAll(async () => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
  await Promise.all([azure.stop(), database.drop()]);
});

/** Ports, hosts, paths and callbacks are not. */
function isOptions(part: unknown): part is object {
  return typeof part === 'object' && part !== null;
}

function environment(): Environment {
  const vault = azure.endpoints.vaults['local'] ?? '';
  return {
    DATABASE_URL: database.url,
    TWINKEY_SERVICE_BUS_NAMESPACE: azure.endpoints.serviceBus,
    TWINKEY_KEY_CHANGED_SHARDS: '2',
    TWINKEY_FINGERPRINT_SALT: 'a salt that is long enough',
    TWINKEY_RESOURCE_MANAGER_ENDPOINT: azure.endpoints.origin,
    TWINKEY_KEY_VAULT_URL: vault,
    TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: 'true',
    TWINKEY_DISABLE_INSTANCE_DISCOVERY: 'true',
    AZURE_AUTHORITY_HOST: azure.endpoints.origin,
  };
}

/** What the doctor finds where the identity of the service has these roles only. */
async function examined(
  service: ServiceName,
  assignments: readonly Assignment[],
  changes: Environment = {},
): Promise<{ readonly findings: readonly Finding[]; readonly objectId: string }> {
  const name = `${service}-${Math.random().toString(36).slice(2)}`;
  const { tenantId, clientId, clientSecret, objectId } = azure.control.register({ name, assignments });
  const settings = { ...environment(), ...changes };
  const { findings } = await examine(
    {
      environment: settings,
      services: [service],
      file,
      console: 'http://127.0.0.1:1',
      notifier: 'http://127.0.0.1:1',
    },
    () =>
      probesFor({
        environment: settings,
        credential: new ClientSecretCredential(tenantId, clientId, clientSecret, {
          authorityHost: azure.endpoints.origin,
          disableInstanceDiscovery: true,
        }),
      }),
  );
  return { findings, objectId };
}

const failed = (findings: readonly Finding[]) => findings.filter(({ outcome }) => outcome === 'failed');

describe('an installation with the roles of the table', () => {
  it.each(SERVICE_NAMES)('is found to be as the %s needs it', async (service) => {
    const { findings } = await examined(service, assignmentsOf(service));
    expect(failed(findings)).toEqual([]);
    expect(findings.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(
      assignmentsOf(service).length - 1,
    );
    expect(findings.filter(({ outcome }) => outcome === 'skipped').map(({ check }) => check)).toEqual([
      'answers at http://127.0.0.1:1',
      'answers at http://127.0.0.1:1',
    ]);
  });

  it('names the identity by the claims of its token, and never the token', async () => {
    const { findings, objectId } = await examined('console', assignmentsOf('console'));
    expect(findings.find(({ check }) => check === 'identity')?.detail).toContain(`object ${objectId}`);
    expect(JSON.stringify(findings)).not.toMatch(/eyJ/);
  });
});

describe('a role that a service lacks', () => {
  // One of each kind of role and thing; the end-to-end test takes away every one that there is.
  const kinds = new Map<string, [name: string, service: ServiceName, assignment: Assignment]>();
  for (const service of SERVICE_NAMES)
    for (const assignment of assignmentsOf(service)) {
      const kind = `${roleOf(assignment)} at ${assignment.scope?.split('/').at(-2) ?? 'accounts'}`;
      if (!kinds.has(kind)) kinds.set(kind, [kind, service, assignment]);
    }

  it.each([...kinds.values()])(
    'is missed, and nothing else is: %s of the %s',
    async (_, service, lacking) => {
      const others = assignmentsOf(service).filter(
        (one) => JSON.stringify(one) !== JSON.stringify(lacking), // the account and its subscription are one place here
      );
      const { findings, objectId } = await examined(service, others);
      expect(failed(findings)).toHaveLength(1);
      const [finding] = failed(findings);
      const role = roleOf(lacking);
      expect(finding?.check).toContain(role);
      const named =
        lacking.role ??
        `$(az role definition list --custom-role-only true --query "[?starts_with(roleName, '${role}')].name | [0]" --output tsv)`;
      expect(finding?.mend).toBe(
        `az role assignment create --assignee-object-id ${objectId} --assignee-principal-type ServicePrincipal --role "${named}" --scope ${placeOf(lacking)}`,
      );
    },
  );

  /** The embedded Azure knows roles of ours by what they allow, and the one that keeps subscriptions by an action more. */
  function roleOf({ role, actions = [], dataActions = [] }: Assignment): string {
    const isSame = (own: readonly string[], given: readonly string[]) =>
      own.every((action) => given.includes(action)) && own.length === given.length;
    const own = Object.entries(ROLES.custom).find(
      ([, one]) =>
        isSame(one.actions, actions) && (actions.length > 0 || isSame(one.dataActions, dataActions)),
    );
    return role ?? own?.[0] ?? '';
  }

  function placeOf({ scope }: Assignment): string {
    if (scope === undefined) return account;
    if (scope.includes('/vaults/')) return '"$(az keyvault show --name localhost --query id --output tsv)"';
    const [, below = ''] = scope.split('/namespaces/local');
    return `"$(az servicebus namespace list --query "[?name=='localhost'].id" --output tsv)${below}"`;
  }
});

describe('what is wrong beside roles', () => {
  it('an entity that does not exist is made with the settings of the topology', async () => {
    const { findings } = await examined('notifier', [{ actions: ['*'], dataActions: ['*'] }], {
      TWINKEY_KEY_CHANGED_SHARDS: '3',
    });
    expect(failed(findings).map(({ check }) => check)).toEqual([
      'Azure Service Bus Data Sender at topic key-changed-2',
    ]);
    expect(failed(findings)[0]?.mend).toMatch(
      /^az servicebus topic create .* --namespace-name localhost --name key-changed-2 .*PT5M$/,
    );
  });

  it('an identity that gets no token keeps its rights from being tried, and from being called missing', async () => {
    const { findings } = await examine(
      { environment: environment(), services: ['rotator'], file, console: '', notifier: '' },
      () =>
        probesFor({
          environment: environment(),
          credential: { getToken: () => Promise.reject(new Error('AADSTS7000215: Invalid client secret.')) },
        }),
    );
    expect(failed(findings).map(({ check, detail }) => [check, detail])).toEqual([
      ['identity', 'AADSTS7000215: Invalid client secret.'],
    ]);
    expect(findings.filter(({ check }) => check.startsWith('twinkey key rotator'))).toMatchObject([
      { outcome: 'skipped' },
    ]);
  });

  it('an account that is gone, and one whose keys are switched off', async () => {
    azure.control.accounts.put({ name: 'keyless', resourceGroup: 'ai', disableLocalAuth: true });
    const gone = account.replace(/speech$/, 'gone');
    const accounts = [gone, account.replace(/speech$/, 'keyless')];
    const own = join(folder, 'others.yaml');
    writeFileSync(
      own,
      `version: 1\npolicies: { p: { interval: P30D } }\naccounts: [${accounts.map((id) => `{ id: ${id}, policy: p }`).join()}]\n`,
    );
    const { tenantId, clientId, clientSecret } = azure.control.register({
      name: 'all-rights',
      assignments: assignmentsOf('rotator'),
    });
    const { findings } = await examine(
      { environment: environment(), services: ['rotator'], file: own, console: '', notifier: '' },
      () =>
        probesFor({
          environment: environment(),
          credential: new ClientSecretCredential(tenantId, clientId, clientSecret, {
            authorityHost: azure.endpoints.origin,
            disableInstanceDiscovery: true,
          }),
        }),
    );
    expect(failed(findings).map(({ check, mend }) => [check, mend])).toEqual([
      ['twinkey key rotator at account gone', expect.stringContaining('list-deleted')],
      ['twinkey key rotator at account keyless', expect.stringContaining('disableLocalAuth=false')],
    ]);
  });

  it('a database that lets the service make nothing', async () => {
    const { findings } = await examined('console', assignmentsOf('console'), {
      DATABASE_URL: database.url.replace(/\/\/[^@/]*@?/, '//nobody:x@'),
    });
    const [finding] = failed(findings);
    expect(finding?.check).toContain('schema console');
    expect(finding?.mend).toContain('psql');
  });
});

describe('a database that is shown tokens', () => {
  const role = `shown_${process.pid}`;
  let administrator: Client;
  let withTokens: Environment;

  beforeAll(async () => {
    administrator = new Client({ connectionString: database.url });
    await administrator.connect();
    await administrator.query(`create role ${role} login password 'nobody has it yet'`);
    await administrator.query(`create schema console authorization ${role}`);
    const url = new URL(database.url);
    url.username = role;
    url.password = '';
    withTokens = { ...environment(), DATABASE_URL: url.toString(), TWINKEY_DATABASE_ENTRA: 'true' };
  });

  afterAll(async () => {
    await administrator.query(`drop owned by ${role}`);
    await administrator.query(`drop role ${role}`);
    await administrator.end();
  });

  async function asked(credential: TokenCredential): Promise<Finding | undefined> {
    const { findings } = await examine(
      { environment: withTokens, services: ['console'], file, console: '', notifier: '' },
      () => probesFor({ environment: withTokens, credential }),
    );
    return findings.find(({ check }) => check.startsWith('schema console'));
  }

  it('takes the very token that Entra issues for it; until it knows the identity, the command that makes the role is told', async () => {
    const { tenantId, clientId, clientSecret, objectId } = azure.control.register({ name: 'with-tokens' });
    const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
      authorityHost: azure.endpoints.origin,
      disableInstanceDiscovery: true,
    });
    const refused = await asked(credential);
    expect(refused).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('refuses the token'),
      mend: expect.stringContaining(
        `dbname=postgres user=ADMINISTRATOR sslmode=verify-full sslrootcert=system" --command "select pgaadauth_create_principal_with_oid('${role}', '${objectId}', 'service', false, false)"`,
      ),
    });

    // Azure's server looks at the token; this one compares it with what the role has, which the credential still keeps.
    const { token } = await credential.getToken(DATABASE_TOKEN_SCOPE);
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as object;
    expect(claims).toMatchObject({ aud: 'https://ossrdbms-aad.database.windows.net', oid: objectId });
    await administrator.query(`alter role ${role} password '${token}'`);
    const taken = await asked(credential);
    expect(taken).toMatchObject({ outcome: 'ok', detail: expect.stringContaining('signed in with Entra') });
    expect(JSON.stringify([refused, taken])).not.toMatch(/eyJ/);
  });

  it('is not blamed where Entra issues no token', async () => {
    const refusing = { getToken: () => Promise.reject(new Error('AADSTS7000215: Invalid client secret.')) };
    expect(await asked(refusing)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('AADSTS7000215'),
      mend: expect.stringMatching(/^az login/),
    });
  });
});

describe('an installation that begins', () => {
  it('finds its accounts with the right to list them, and is told what to do without', async () => {
    const saved = { ...process.env };
    const begin = async (assignments: readonly Assignment[], out: string): Promise<number> => {
      const { tenantId, clientId, clientSecret } = azure.control.register({
        name: `begins-${out}`,
        assignments,
      });
      Object.assign(process.env, environment(), {
        AZURE_TENANT_ID: tenantId,
        AZURE_CLIENT_ID: clientId,
        AZURE_CLIENT_SECRET: clientSecret,
      });
      const deploy = fileURLToPath(new URL('../../../../deploy', import.meta.url));
      const words = ['--prefix', 'contoso', '--out', join(folder, out), '--deploy', deploy];
      return run(['init', '--quiet', ...words, '--subscription', azure.subscriptionId]);
    };
    const outputs = [
      jest.spyOn(process.stdout, 'write').mockReturnValue(true),
      jest.spyOn(process.stderr, 'write').mockReturnValue(true),
    ];
    try {
      expect(await begin(assignmentsOf('scheduler'), 'with')).toBe(0);
      expect(readFileSync(join(folder, 'with/twinkey.yaml'), 'utf8')).toContain(`- id: ${account}\n`);
      expect(await begin(assignmentsOf('notifier'), 'without')).toBe(7);
      expect(existsSync(join(folder, 'without'))).toBe(false);
    } finally {
      process.env = saved;
      for (const output of outputs) output.mockRestore();
    }
  });
});
