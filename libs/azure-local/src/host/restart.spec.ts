import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceBusClient } from '@azure/service-bus';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ControlInvalid } from './control-invalid.js';
import { Restarts, type Part } from './restart.js';
import { start, type AzureLocal } from './start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'azure-')),
    fleet: [{ name: 'aa' }],
    topology: { UserConfig: { Namespaces: [{ Name: 'local', Queues: [{ Name: 'orders' }] }] } },
  });
});
afterAll(() => azure.close());

async function tokenFor(resource: string): Promise<string> {
  const [{ clientId, clientSecret } = { clientId: '', clientSecret: '' }] = azure.applications;
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: `${resource}/.default`,
  });
  const answer = await azure.call(`/${azure.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
  return (answer.json() as { access_token: string }).access_token;
}

const authorized = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const subscriptions = async (token: string) =>
  (await azure.call(`/subscriptions?api-version=2022-12-01`, authorized(token))).status;
const secretUrl = () => `${azure.endpoints.vaults['local'] ?? ''}/secrets/x?api-version=7.5`;

/** Until nothing is down; a connection that is cut or refused is a part of being down. */
async function untilBack(): Promise<void> {
  for (;;) {
    const answer = await azure.call('/_local/healthz').catch(() => undefined);
    if (answer?.status === 200) return;
  }
}

describe('a restart of all of it', () => {
  it('keeps addresses, accounts, secrets, messages, the ledger, faults, and tokens out there', async () => {
    const arm = await tokenFor('https://management.azure.com');
    const vault = await tokenFor('https://vault.azure.net');
    await azure.call(secretUrl(), { method: 'PUT', ...authorized(vault), body: { value: 'one' } });
    await azure.call('/aa/x', { headers: { 'user-agent': 'prober/1' } });
    const before = new ServiceBusClient(azure.endpoints.serviceBusConnectionString);
    await before.createSender('orders').sendMessages({ body: 'kept' });
    await before.close();
    const id = azure.control.faults.add({ service: 'ai', effect: { kind: 'outage' } });

    await azure.control.restart();

    expect(await subscriptions(arm)).toBe(200);
    expect((await azure.call(secretUrl(), authorized(vault))).json()).toMatchObject({ value: 'one' });
    expect(azure.control.ledger.entries()).toMatchObject([{ caller: 'prober/1', count: 1 }]);
    expect(azure.control.faults.list()).toMatchObject([{ id, struck: 0 }]);
    azure.control.faults.remove();
    const after = new ServiceBusClient(azure.endpoints.serviceBusConnectionString);
    const [message] = await after.createReceiver('orders').receiveMessages(1, { maxWaitTimeInMs: 5_000 });
    await after.close();
    expect(message?.body).toBe('kept');
  });
});

describe('a service that is down for a while', () => {
  it('refuses connections until it is back, while the others serve', async () => {
    const vault = await tokenFor('https://vault.azure.net');
    const back = azure.control.restart({ service: 'key-vault', downMs: 300 });
    const refused = async () =>
      azure.call(secretUrl(), authorized(vault)).then(String, (thrown: unknown) => thrown);
    let error = await refused();
    while ((error as { code?: string }).code === 'ECONNRESET') error = await refused(); // still closing
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    const health = await azure.call('/_local/healthz');
    expect([health.status, health.json()]).toEqual([503, { status: 'restarting', services: ['key-vault'] }]);
    await back;
    expect((await azure.call('/_local/healthz')).status).toBe(200);
    expect((await azure.call(secretUrl(), authorized(vault))).status).toBe(200);
  });

  it('can be the one that was asked to restart it', async () => {
    const ordered = await azure.call('/_local/restart', { method: 'POST', body: { service: 'arm' } });
    expect([ordered.status, ordered.json()]).toEqual([202, { services: ['entra', 'arm', 'ai'], downMs: 0 }]);
    await untilBack();
    expect(await subscriptions(await tokenFor('https://management.azure.com'))).toBe(200);
  });
});

describe('an Entra that forgot its signing keys', () => {
  it('honours no token of before, wherever it is shown, and issues new ones', async () => {
    const [arm, vault] = [
      await tokenFor('https://management.azure.com'),
      await tokenFor('https://vault.azure.net'),
    ];
    expect([await subscriptions(arm), (await azure.call(secretUrl(), authorized(vault))).status]).toEqual([
      200, 200,
    ]);
    await azure.control.restart({ service: 'entra', forgetSigningKeys: true });
    expect([await subscriptions(arm), (await azure.call(secretUrl(), authorized(vault))).status]).toEqual([
      401, 401,
    ]);
    expect(await subscriptions(await tokenFor('https://management.azure.com'))).toBe(200);
  });
});

describe('an order to restart', () => {
  it.each([
    [{ service: 'blob' }, /^service: one of entra, arm, key-vault, ai, service-bus, all/],
    [{ downMs: -1 }, /^downMs:/],
    [{ downtime: 1 }, /^downtime: no such field/],
    [{ forgetSigningKeys: 'yes' }, /^forgetSigningKeys: true or false/],
    [{ service: 'service-bus', forgetSigningKeys: true }, /^forgetSigningKeys: the keys are those of entra/],
    [[], /^A JSON object was expected/],
  ])('is refused with the field and the rule: %j', async (body, message) => {
    const { status, text } = await azure.call('/_local/restart', { method: 'POST', body });
    expect([status, (JSON.parse(text) as { error: { message: string } }).error.message]).toEqual([
      400,
      expect.stringMatching(message),
    ]);
  });

  it('waits for the one before it, and is given up when the emulator ends', async () => {
    const events: string[] = [];
    const part = (service: 'arm' | 'ai'): Part => ({
      services: [service],
      close: () => Promise.resolve(void events.push(`close ${service}`)),
      open: () => Promise.resolve(void events.push(`open ${service}`)),
    });
    const stop = new AbortController();
    const restarts = new Restarts([part('arm'), part('ai')], stop.signal, () => Promise.resolve());
    const orders = [
      restarts.announce({ service: 'arm' }),
      restarts.announce({ service: 'ai', downMs: 60_000 }),
    ];
    expect(restarts.down()).toEqual(['arm', 'ai']);
    const done = orders.map((order) => order.begin());
    await done[0];
    expect(restarts.down()).toEqual(['ai']);
    while (events.length < 3) await new Promise((turn) => setImmediate(turn));
    stop.abort();
    await done[1];
    expect(events).toEqual(['close arm', 'open arm', 'close ai']);
    expect(() => restarts.announce({ service: 'ai', forgetSigningKeys: true })).toThrow(ControlInvalid);
  });
});
