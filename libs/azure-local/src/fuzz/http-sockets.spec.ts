import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';
import { secretGrant } from '../contract/target.js';
import { Misbehaviour, seed, tryAll } from './attempts.js';
import type { Chance } from './chance.js';
import { mutate, mutateJson } from './mutate.js';
import { say, type Place } from './wire.js';

jest.setTimeout(1_800_000); // the long form

interface Request {
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

let azure: AzureLocal;
const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
const complaints: string[] = [];

beforeAll(async () => {
  azure = await start({
    dataDir: folder,
    fleet: [{ name: 'language', resourceGroup: 'rg', kind: 'TextAnalytics' }],
    limits: { arm: 'off', vault: 'off' },
    log: { info: () => undefined, warn: (text) => complaints.push(text) },
  });
});
afterAll(async () => {
  await azure.close();
  rmSync(folder, { recursive: true, force: true });
});

const origin = (): Place => ({ port: Number(new URL(azure.endpoints.origin).port), ca: azure.ca });
const vault = (): Place => ({
  port: Number(new URL(azure.endpoints.vaults['local'] ?? '').port),
  ca: azure.ca,
});

async function token(resource: string): Promise<Readonly<Record<string, string>>> {
  const [owner] = azure.applications;
  if (owner === undefined) throw new Error('The embedded Azure has no application.');
  const answer = await azure.call(`/${azure.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: secretGrant(owner, `${resource}/.default`),
  });
  return { authorization: `Bearer ${(answer.json() as { access_token: string }).access_token}` };
}

const json = { 'content-type': 'application/json' };

function written({ line, headers, body = '' }: Request): Buffer {
  const fields = { host: 'localhost', ...headers, 'content-length': String(Buffer.byteLength(body)) };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`, 'latin1');
}

/** Another path, header or body under a frame that is right; or any change anywhere. */
function spoilt(good: Request, donors: readonly Buffer[], chance: Chance): Buffer {
  const text = (from: string) =>
    mutate(Buffer.from(from), donors, chance)
      .toString('latin1')
      .replace(/[\r\n]/g, '');
  switch (chance.whole(5)) {
    case 0:
      return mutate(written(good), donors, chance);
    case 1: {
      const [method = '', path = ''] = good.line.split(' ');
      return written({ ...good, line: `${method} ${text(path).replaceAll(' ', '%20')}` });
    }
    case 2: {
      const [name, value] = chance.pick(Object.entries({ accept: '*/*', ...good.headers }));
      return written({ ...good, headers: { ...good.headers, [name]: text(value) } });
    }
    case 3:
      return written({
        ...good,
        body: mutate(Buffer.from(good.body ?? ''), donors, chance).toString('latin1'),
      });
    default: {
      const body = good.body ?? '';
      if (!body.startsWith('{')) return written({ ...good, body: text(body) });
      return written({ ...good, body: JSON.stringify(mutateJson(JSON.parse(body), chance)) });
    }
  }
}

function refuseDefects(heard: Buffer): void {
  const [, status] = /HTTP\/1\.1 (5\d\d)/.exec(heard.toString('latin1')) ?? [];
  if (status === undefined) return;
  throw new Misbehaviour(`it was answered with ${status}. The log says: ${complaints.slice(-1).join('')}`);
}

async function search(
  what: string,
  share: number,
  place: Place,
  requests: readonly Request[],
): Promise<void> {
  for (const request of requests) {
    const answer = (await say(place, [written(request)], { listenMs: 5000 })).toString('latin1');
    if (!/^HTTP\/1\.1 2\d\d/.test(answer)) throw new Error(`${request.line} is no good request: ${answer}`);
  }
  const donors = requests.map(written);
  await tryAll({
    what,
    share,
    atOnce: 8,
    attempt: async (chance) => {
      const bytes = spoilt(chance.pick(requests), donors, chance);
      const at = chance.happens(0.2) ? chance.whole(bytes.length) : bytes.length;
      refuseDefects(await say(place, [bytes.subarray(0, at), bytes.subarray(at)], { listenMs: 40 }));
      // What a spoilt request planted on purpose is no misbehaviour of the next one.
      azure.control.faults.remove();
    },
  });
  expect(complaints).toEqual([]);
  const secret = await azure.call(`${azure.endpoints.vaults['local'] ?? ''}/secrets/good?api-version=7.4`, {
    method: 'PUT',
    headers: await token('https://vault.azure.net'),
    body: { value: what },
  });
  expect(secret.status).toBe(200);
  expect((await azure.call('/_local/healthz')).json()).toMatchObject({ status: 'ok' });
}

describe(`a malformed request, seed ${seed}`, () => {
  it('to Key Vault is refused', async () => {
    const headers = { ...json, ...(await token('https://vault.azure.net')) };
    const body = JSON.stringify({
      value: 'x',
      tags: { a: 'b' },
      contentType: 'text/plain',
      attributes: { enabled: true, nbf: 1, exp: 2_000_000_000 },
    });
    await search('to Key Vault', 0.04, vault(), [
      { line: 'PUT /secrets/one?api-version=7.4', headers, body },
      { line: 'GET /secrets/one/?api%2Dversion=7.4', headers },
      { line: 'GET /secrets?api-version=7.4&maxresults=3', headers },
      { line: 'GET /secrets/one/versions?api-version=7.4', headers },
      { line: 'PATCH /secrets/one?api-version=7.4', headers, body: JSON.stringify({ tags: { c: 'd' } }) },
      { line: 'GET /deletedsecrets?api-version=7.4', headers },
    ]);
  });

  it('to Resource Manager is refused', async () => {
    const headers = { ...json, ...(await token('https://management.azure.com')) };
    const account = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/language`;
    const body = JSON.stringify({
      kind: 'TextAnalytics',
      location: 'westeurope',
      sku: { name: 'S0' },
      tags: { a: 'b' },
      properties: { disableLocalAuth: false },
    });
    await search('to Resource Manager', 0.03, origin(), [
      { line: `GET ${account}?api-version=2023-05-01`, headers },
      { line: `PUT ${account}?api-version=2023-05-01`, headers, body },
      { line: `PATCH ${account}?api-version=2023-05-01`, headers, body: '{"tags":{"c":"d"}}' },
      { line: `POST ${account}/listKeys?api-version=2023-05-01`, headers },
      { line: `POST ${account}/regenerateKey?api-version=2023-05-01`, headers, body: '{"keyName":"Key1"}' },
      {
        line: `GET ${account.replace('/language', '')}?api-version=2023-05-01`,
        headers,
      },
    ]);
  });

  it('to the data plane is refused', async () => {
    const key = { ...json, ...(await token('https://cognitiveservices.azure.com')) };
    await search('to the data plane', 0.02, origin(), [
      {
        line: 'POST /language/text/analytics/v3.1/languages',
        headers: key,
        body: JSON.stringify({ documents: [{ id: '1', text: 'x' }] }),
      },
      {
        line: 'POST /language/translate?api-version=3.0&to=fr',
        headers: key,
        body: '[{"Text":"Hello"}]',
      },
      {
        line: 'POST /language/openai/deployments/d/chat/completions?api-version=2024-06-01',
        headers: key,
        body: JSON.stringify({ messages: [{ role: 'user', content: 'x' }] }),
      },
    ]);
  });

  it('to Entra is refused', async () => {
    const [owner] = azure.applications;
    if (owner === undefined) throw new Error('The embedded Azure has no application.');
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = secretGrant(owner, 'https://vault.azure.net/.default');
    await search('to Entra', 0.03, origin(), [
      { line: `POST /${azure.tenantId}/oauth2/v2.0/token`, headers: form, body },
      { line: `GET /${azure.tenantId}/v2.0/.well-known/openid-configuration`, headers: {} },
      { line: `GET /${azure.tenantId}/discovery/v2.0/keys`, headers: {} },
      {
        line: 'GET /common/discovery/instance?api-version=1.1&authorization_endpoint=https://localhost/x',
        headers: {},
      },
    ]);
  });

  it('to the control is refused', async () => {
    const fault = {
      service: 'arm',
      operation: 'listKeys',
      effect: { kind: 'status', status: 418 },
      count: 1,
      skip: 1,
    };
    await search('to the control', 0.03, origin(), [
      { line: 'POST /_local/faults', headers: json, body: JSON.stringify(fault) },
      { line: 'GET /_local/ledger', headers: {} },
      {
        line: 'POST /_local/accounts',
        headers: json,
        body: JSON.stringify({ name: 'other', kind: 'OpenAI', resourceGroup: 'rg', tags: { a: 'b' } }),
      },
      {
        line: 'POST /_local/applications',
        headers: json,
        body: JSON.stringify({
          name: 'made',
          assignments: [{ role: 'Reader', scope: 'resourceGroups/rg' }],
          federatedCredentials: [{ subject: 's' }],
        }),
      },
      { line: 'PATCH /_local/settings', headers: json, body: '{"tokensSurviveRegeneration":true}' },
      { line: 'GET /_local/service-bus', headers: {} },
    ]);
  });
});
