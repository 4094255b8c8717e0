import { mkdtempSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from './start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
beforeAll(async () => {
  azure = await start({ dataDir: mkdtempSync(join(tmpdir(), 'azure-')), fleet: [{ name: 'aa' }] });
});
afterAll(() => azure.close());
afterEach(() => {
  azure.control.faults.remove();
});

const vault = () => azure.endpoints.vaults['local'] ?? '';
const code = (text: string) => (JSON.parse(text) as { error: { code: string } | string }).error;

/** `call` builds a URL first, which repairs or refuses what is broken. */
function sendRaw(origin: string, path: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const sent = request({ hostname, port, path, ca: azure.ca, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    sent.on('error', reject).end();
  });
}

describe('a malformed URL', () => {
  it.each([
    ['Resource Manager', '/subscriptions/%zz?api-version=1', { code: 'BadRequest' }],
    ['Entra', '/common/%zz', 'invalid_request'],
    ['the data plane', '/aa/%zz', { code: '400' }],
    ['the control', '/_local/%zz', { code: 'Invalid' }],
  ])('is refused by %s in its own words', async (_who, path, error) => {
    const { status, text } = await sendRaw(azure.endpoints.origin, path);
    expect(status).toBe(400);
    const given = code(text);
    if (typeof error === 'string') expect(given).toBe(error);
    else expect(given).toMatchObject(error);
  });

  it('is refused by Key Vault in its own words', async () => {
    const { status, text } = await sendRaw(vault(), '/secrets/%zz?api-version=7.5');
    expect([status, code(text)]).toEqual([400, expect.objectContaining({ code: 'BadParameter' })]);
  });
});

describe('a body over the limit', () => {
  const body = 'x'.repeat(5 * 1024 * 1024);

  it('is answered with 413 in the words of the service, and the connection goes on', async () => {
    const arm = await azure.call('/subscriptions?api-version=1', { method: 'POST', body });
    expect([arm.status, arm.json()]).toEqual([
      413,
      { error: expect.objectContaining({ code: 'RequestEntityTooLarge' }) },
    ]);
    const secret = await azure.call(`${vault()}/secrets/x?api-version=7.5`, { method: 'PUT', body });
    expect([secret.status, secret.json()]).toEqual([
      413,
      { error: expect.objectContaining({ code: 'RequestBodyTooLarge' }) },
    ]);
    expect((await azure.call('/_local/healthz')).status).toBe(200);
  });
});

describe('an answer without a body', () => {
  it('speaks of no length', async () => {
    const { status, headers } = await azure.call('/_local/ledger', { method: 'DELETE' });
    expect([status, headers['content-length']]).toEqual([204, undefined]);
  });
});

describe('a vault that is down', () => {
  it('does not answer with its challenge', async () => {
    azure.control.faults.add({ service: 'key-vault', count: 'unlimited', effect: { kind: 'outage' } });
    await expect(azure.call(`${vault()}/secrets/x?api-version=7.5`)).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    azure.control.faults.remove();
    expect((await azure.call(`${vault()}/secrets/x?api-version=7.5`)).status).toBe(401);
  });

  it('answers what it is told to, with a code of its own and the time to stay away', async () => {
    azure.control.faults.add({
      service: 'key-vault',
      count: 'unlimited',
      effect: { kind: 'status', status: 503, retryAfterSeconds: 9 },
    });
    const answer = await azure.call(`${vault()}/secrets/x?api-version=7.5`);
    expect([answer.status, answer.headers['retry-after'], answer.json()]).toEqual([
      503,
      '9',
      { error: expect.objectContaining({ code: 'ServiceUnavailable' }) },
    ]);
  });
});

describe('a claims challenge', () => {
  it.each([
    ['arm', '/subscriptions?api-version=2022-12-01'],
    ['key-vault', '/secrets/x?api-version=7.5'],
  ] as const)('of %s asks for a token that is not older than now', async (service, path) => {
    const url = service === 'arm' ? path : vault() + path;
    azure.control.faults.add({ service, effect: { kind: 'claims-challenge' } });
    const { status, headers } = await azure.call(url, { headers: { authorization: 'Bearer x' } });
    const challenge = String(headers['www-authenticate']);
    expect(status).toBe(401);
    expect(challenge).toMatch(
      /^Bearer .*authorization_uri="https:.*", error="insufficient_claims", claims="/,
    );
    const claims = /claims="([^"]+)"/.exec(challenge)?.[1] ?? '';
    expect(JSON.parse(Buffer.from(claims, 'base64').toString())).toMatchObject({
      access_token: { nbf: { essential: true, value: expect.stringMatching(/^\d{10}$/) } },
    });
  });
});
