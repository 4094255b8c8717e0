import { mkdtempSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { ClientSecretCredential } from '@azure/identity';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import { start, type AzureLocal } from './start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

const tokenOf = async (scope: string) => {
  const [found] = azure.applications;
  if (found === undefined) throw new Error('no application');
  const credential = new ClientSecretCredential(found.tenantId, found.clientId, found.clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: azure.ca },
  });
  return (await credential.getToken(scope)).token;
};
const keysOf = async (token: string) => {
  const path = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/aa`;
  const headers = { authorization: `Bearer ${token}` };
  return (
    await azure.call(`${path}/listKeys?api-version=2023-05-01`, { method: 'POST', headers })
  ).json() as {
    key1: string;
  };
};

const dataDir = mkdtempSync(join(tmpdir(), 'azure-'));
let azure: AzureLocal;
beforeAll(async () => {
  azure = await start({
    dataDir,
    fleet: [{ name: 'aa' }],
    topology: {
      UserConfig: { Namespaces: [{ Name: 'local', Queues: [{ Name: 'orders' }, { Name: 'private' }] }] },
    },
    applications: [
      {
        name: 'sender',
        assignments: [
          {
            role: 'Azure Service Bus Data Sender',
            scope:
              'resourceGroups/rg-messaging/providers/Microsoft.ServiceBus/namespaces/local/queues/orders',
          },
        ],
      },
    ],
  });
});
afterAll(() => azure.close());

describe('the server certificate', () => {
  it('is for this machine only, by an authority of its own', () => {
    const [leaf] = readFileSync(join(azure.caFile, '..', 'server.pem'), 'utf8').split(
      /(?<=-----END CERTIFICATE-----\n)/,
    );
    const certificate = new X509Certificate(leaf ?? '');
    expect(certificate.subjectAltName).toBe(
      'DNS:localhost, DNS:*.localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    );
    expect(certificate.verify(new X509Certificate(azure.ca).publicKey)).toBe(true);
    expect(new X509Certificate(azure.ca).ca).toBe(true);
    expect(certificate.ca).toBe(false);
  });
});

describe('the control under /_local', () => {
  it('plants faults, shows the ledger, creates accounts and registers applications', async () => {
    expect((await azure.call('/_local/healthz')).status).toBe(200);
    const fault = { service: 'ai', target: 'bb', effect: { kind: 'status', status: 503 } };
    const planted = await azure.call('/_local/faults', { method: 'POST', body: fault });
    expect(planted.status).toBe(201);
    expect((await azure.call('/_local/accounts', { method: 'POST', body: { name: 'bb' } })).status).toBe(201);
    expect((await azure.call('/bb/x')).status).toBe(503);
    expect((await azure.call('/bb/x', { headers: { 'user-agent': 'prober/1' } })).status).toBe(401);
    expect((await azure.call('/_local/faults')).json()).toMatchObject({ faults: [{ ...fault, struck: 1 }] });
    expect((await azure.call('/_local/ledger')).json()).toMatchObject({
      entries: [{ account: 'bb', caller: 'prober/1', outcome: 'refused', count: 1 }],
    });
    await azure.call('/_local/ledger', { method: 'DELETE' });
    await azure.call('/_local/faults', { method: 'DELETE' });
    expect((await azure.call('/_local/ledger')).json()).toEqual({ entries: [] });
    expect((await azure.call('/_local/faults')).json()).toEqual({ faults: [] });
    const body = { name: 'worker', assignments: [{ role: 'Reader' }] };
    expect((await azure.call('/_local/applications', { method: 'POST', body })).json()).toMatchObject({
      name: 'worker',
    });
    const wrong = await azure.call('/_local/applications', {
      method: 'POST',
      body: { name: 'worker', assignments: [{ role: 'King' }] },
    });
    expect([wrong.status, wrong.text]).toEqual([400, expect.stringMatching(/no such role/)]);
  });

  it('tells whether a key is good, and never a key', async () => {
    const { key1 } = await keysOf(await tokenOf('https://management.azure.com/.default'));
    const good = await azure.call('/_local/accounts/aa', { headers: { 'x-key': key1 } });
    expect(good.json()).toEqual({ name: 'aa', accepted: true, slot: 'key1' });
    const bad = await azure.call('/_local/accounts/aa', { headers: { 'x-key': 'nonsense' } });
    expect(bad.json()).toEqual({ name: 'aa', accepted: false, slot: 'unknown' });
    for (const path of [
      'accounts',
      'accounts/aa',
      'faults',
      'ledger',
      'settings',
      'service-bus',
      'healthz',
    ]) {
      expect((await azure.call(`/_local/${path}`)).text).not.toContain(key1);
    }
  });

  it('keeps accounts in provisioning, which refuse changes until then', async () => {
    const settings = (changes: object) =>
      azure.call('/_local/settings', { method: 'PATCH', body: JSON.stringify(changes) });
    expect((await settings({ provisioningMs: 60_000 })).json()).toEqual({
      tokensSurviveRegeneration: true,
      provisioningMs: 60_000,
    });
    const headers = {
      authorization: `Bearer ${await tokenOf('https://management.azure.com/.default')}`,
      'content-type': 'application/json',
    };
    const account = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/aa`;
    const patch = () =>
      azure.call(`${account}?api-version=2023-05-01`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({ tags: { team: 'speech' } }),
      });
    expect((await patch()).status).toBe(200);
    expect((await patch()).status).toBe(409);
    azure.control.clock.advance(60_000);
    await settings({ provisioningMs: 0 });
    expect((await patch()).status).toBe(200);
  });

  it('refuses settings that do not exist, by name', async () => {
    const answer = await azure.call('/_local/settings', { method: 'PATCH', body: '{ "provisioning": 1 }' });
    expect([answer.status, answer.text]).toEqual([
      400,
      expect.stringContaining('provisioning: no such setting; there are'),
    ]);
  });

  it('registers managed identities, and tokens of the second version', async () => {
    const register = (application: object) =>
      azure.call('/_local/applications', { method: 'POST', body: JSON.stringify(application) });
    const { clientId } = (await register({ name: 'pod', managedIdentity: true })).json() as {
      clientId: string;
    };
    const resource = encodeURIComponent('https://vault.azure.net');
    const token = await azure.call(
      `/metadata/identity/oauth2/token?api-version=2018-02-01&resource=${resource}&client_id=${clientId}`,
      { headers: { metadata: 'true' } },
    );
    expect(token.status).toBe(200);
    expect((await register({ name: 'api', accessTokenVersion: 3 })).status).toBe(400);
  });

  it('gives orders to the bus', async () => {
    const order = async (name: string, body: unknown) =>
      await azure.call(`/_local/service-bus/${name}`, { method: 'POST', body });
    expect((await order('drop-connections', {})).json()).toEqual({ dropped: expect.any(Number) });
    expect((await order('expire-locks', { entity: 'orders' })).status).toBe(204);
    expect((await order('expire-locks', {})).text).toMatch(/entity: the path/);
    const nowhere = await order('expire-locks', { entity: 'nowhere' });
    expect([nowhere.status, nowhere.text]).toEqual([400, expect.stringMatching(/could not be found/)]);
    expect((await order('explode', {})).status).toBe(404);
    expect((await azure.call('/_local/service-bus')).json()).toMatchObject({
      entities: { orders: { active: 0 } },
    });
  });

  it.each([
    [{}, /^name: a text/],
    [{ name: 'a', clientId: 7 }, /^clientId: a text/],
    [{ name: 'a', assignments: [{ role: 'King' }] }, /^assignments\[0\]\.role: no such role "King"/],
    [{ name: 'a', assignments: [{ actions: ['*', 7] }] }, /^assignments\[0\]\.actions\[1\]: a text/],
    [{ name: 'a', federatedCredentials: [{}] }, /^federatedCredentials\[0\]\.subject: a text/],
    [{ name: 'a', federatedCredentials: [{ subject: 's', jwks: {} }] }, /\.jwks\.keys: a list/],
    [{ name: 'a', appRoles: 'all' }, /^appRoles: a list/],
    [{ name: 'a', identifierUris: [1] }, /^identifierUris\[0\]: a text/],
    [{ name: 'a', secret: 'x' }, /^application\.secret: no such field/],
  ])('registers no application with %j', async (body, message) => {
    const answer = await azure.call('/_local/applications', { method: 'POST', body });
    expect([answer.status, answer.json()]).toEqual([
      400,
      { error: { code: 'Invalid', message: expect.stringMatching(message) } },
    ]);
  });
});

describe('the service bus of the emulator', () => {
  it('takes its connection string', async () => {
    const client = new ServiceBusClient(azure.endpoints.serviceBusConnectionString);
    await client.createSender('orders').sendMessages({ body: 'hello' });
    const [message] = await client.createReceiver('orders').receiveMessages(1, { maxWaitTimeInMs: 2_000 });
    expect(message?.body).toBe('hello');
    await client.close();
  });

  it('takes Entra tokens for what their roles allow', async () => {
    const [, sender] = azure.applications;
    if (sender === undefined) throw new Error('no sender');
    const tlsOptions = { ca: azure.ca };
    const credential = new ClientSecretCredential(azure.tenantId, sender.clientId, sender.clientSecret, {
      authorityHost: azure.endpoints.origin,
      disableInstanceDiscovery: true,
      tlsOptions,
    });
    const client = new ServiceBusClient(azure.endpoints.serviceBus, credential, {
      webSocketOptions: { webSocket: WebSocket, webSocketConstructorOptions: { ca: azure.ca } },
      retryOptions: { maxRetries: 0 },
    });
    await client.createSender('orders').sendMessages({ body: 'hello' });
    const refused = { code: 'UnauthorizedAccess' };
    await expect(client.createSender('private').sendMessages({ body: 'x' })).rejects.toMatchObject(refused);
    await expect(client.createReceiver('orders').receiveMessages(1)).rejects.toMatchObject(refused);
    await client.close();
  });
});

describe('what the folder keeps', () => {
  it('is for its owner alone', () => {
    const modes = readdirSync(dataDir, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, statSync(join(dataDir, name)).mode & 0o077]);
    expect(modes.filter(([, others]) => others !== 0)).toEqual([]);
  });
});
