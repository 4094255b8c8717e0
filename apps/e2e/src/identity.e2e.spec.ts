// The services ask everybody who they are: people by the role of the route, instances by their own identity.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitUntil } from '@twinkey/dev';
import { AzureControl } from './azure-control.js';
import { entraToken } from './entra-token.js';
import { Fleet, textAccount } from './fleet.js';
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

let fleet: Fleet;
let control: AzureControl;
/** Variables of each identity. */
const identities: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  fleet = await Fleet.start({
    accounts: [textAccount('guarded', 'calm')],
    consumers: [{ consumer: 'reader', instances: 2, accounts: ['guarded'] }],
    policies,
    env: { TWINKEY_API_AUDIENCE: audience },
    beforeKeysChange: async (env) => {
      control = new AzureControl(
        env['TWINKEY_RESOURCE_MANAGER_ENDPOINT'] ?? '',
        env['NODE_EXTRA_CA_CERTS'] ?? '',
      );
      await register({ name: 'twinkey-api', identifierUris: [audience] });
      // Services and sample consumers run under one identity here. It has the roles of the table and no others; its app
      // role makes it a reader and no more.
      await register({ name: 'default', assignments: rolesOfTheTable(), ...granted('consumer.reader') });
      for (const role of ['read', 'operate', 'admin', 'consumer.writer']) {
        identities[role] = await register({ name: role, ...granted(role) });
      }
    },
  });
}, 180_000);

afterAll(() => fleet.stop());

const granted = (role: string) => ({ appRoles: [{ resource: audience, role: `twinkey.${role}` }] });

/** What the identities of an installation may do, all of them together; of a development cluster, so with no account named. */
function rolesOfTheTable(): readonly object[] {
  const file = new URL('../../../deploy/kubernetes/overlays/dev/applications.json', import.meta.url);
  const { applications } = JSON.parse(readFileSync(file, 'utf8')) as {
    applications: { assignments?: object[] }[];
  };
  return applications.flatMap(({ assignments = [] }) => assignments);
}

async function register(application: object): Promise<Record<string, string>> {
  const { status, text } = await control.call('POST', '/_local/applications', application);
  if (status !== 201) throw new Error(text);
  const { clientId, clientSecret } = JSON.parse(text) as { clientId: string; clientSecret: string };
  return { AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: clientSecret };
}

function as(role: string, ...words: readonly string[]): Promise<ProgramRun> {
  const { environment } = fleet.stack;
  const whole = { ...environment, ...identities[role], TWINKEY_URL: fleet.stack.url('console') };
  return runNode([bin, ...words], whole);
}

describe('where tokens are asked for', () => {
  it('a rotation runs through with the roles of the table: its instances prove who they are, and what they acknowledge', async () => {
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

describe('an installation that works', () => {
  it('is found to be in order by the doctor, from the services that answer to the rights at each account', async () => {
    const environment = { ...fleet.stack.environment, TWINKEY_URL: fleet.stack.url('console') };
    const { code, stdout, stderr } = await runNode([bin, 'doctor', '--json'], environment);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; outcome: string }[] };
    expect({ code, wrong: findings.filter(({ outcome }) => outcome !== 'ok'), stderr }).toEqual({
      code: 0,
      wrong: [],
      stderr: expect.stringMatching(/ 0 failed, 0 skipped/),
    });
    expect(findings.map(({ check }) => check)).toContain('twinkey key rotator at account guarded');
  });
});

function tokenOf(role: string): Promise<string> {
  const { AZURE_CLIENT_ID: clientId = '', AZURE_CLIENT_SECRET: clientSecret = '' } = identities[role] ?? {};
  return entraToken(fleet.stack.environment, { clientId, clientSecret }, `${audience}/.default`);
}
