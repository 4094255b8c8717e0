import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeJwt } from 'jose';
import { start, type AzureLocal } from '../host/start.js';
import { applicationToken } from '../testing/application-token.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
let now = Date.now();

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'ai-')),
    clock: () => now,
    limits: { arm: 'off' },
    fleet: [
      { name: 'language', kind: 'CognitiveServices', resourceGroup: 'rg' },
      { name: 'text', kind: 'TextAnalytics', resourceGroup: 'rg' },
      { name: 'speech', kind: 'SpeechServices', resourceGroup: 'rg' },
      { name: 'keyless', kind: 'OpenAI', resourceGroup: 'rg', disableLocalAuth: true },
    ],
    applications: [
      { name: 'caller', assignments: [{ role: 'Cognitive Services User', scope: 'resourceGroups/rg' }] },
      { name: 'nobody' },
    ],
  });
});
afterAll(() => azure.close());
beforeEach(() => {
  azure.control.faults.remove();
  azure.control.ledger.reset();
});

const token = (name: string, scope: string) => applicationToken(azure, name, scope);

async function keys(
  verb = 'listKeys',
  body?: unknown,
  name = 'language',
): Promise<{ key1: string; key2: string }> {
  const account = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${name}`;
  const authorization = `Bearer ${await token('default', 'https://management.azure.com/.default')}`;
  const answer = await azure.call(`${account}/${verb}?api-version=2025-09-01`, {
    method: 'POST',
    headers: { authorization },
    body,
  });
  return answer.json() as { key1: string; key2: string };
}

const regenerate = (keyName: 'Key1' | 'Key2') => keys('regenerateKey', { keyName });
const ask = async (headers: Record<string, string>, account = 'language') =>
  await azure.call(`/${account}/anything/below?x=1`, {
    headers: { 'user-agent': 'consumer/1 node', ...headers },
  });
const withKey = (key: string) => ask({ 'ocp-apim-subscription-key': key });

describe('a call with a key of the account', () => {
  it('is answered, in either header', async () => {
    const { key1, key2 } = await keys();
    expect((await withKey(key1)).json()).toMatchObject({ account: 'language', path: '/anything/below' });
    expect((await ask({ 'api-key': key2 })).status).toBe(200);
  });

  it('detects a language and translates in the shapes that the clients read', async () => {
    const headers = { 'ocp-apim-subscription-key': (await keys()).key1 };
    const detected = await azure.call('/language//text/analytics/v3.1/languages', {
      method: 'POST',
      headers,
      body: { documents: [{ id: '1', text: 'Das ist ein Satz' }] },
    });
    expect(detected.json()).toMatchObject({
      documents: [{ id: '1', detectedLanguage: { iso6391Name: 'de', confidenceScore: 1 }, warnings: [] }],
      errors: [],
    });
    const translated = await azure.call('/language/translate?api-version=3.0&to=fr&to=es', {
      method: 'POST',
      headers,
      body: [{ Text: 'Hello' }],
    });
    expect(translated.json()).toEqual([
      {
        detectedLanguage: { language: 'en', score: 1 },
        translations: [
          { text: '[fr] Hello', to: 'fr' },
          { text: '[es] Hello', to: 'es' },
        ],
      },
    ]);
    const since = await azure.call('/language/translate?api-version=2026-06-06', {
      method: 'POST',
      headers,
      body: { inputs: [{ text: 'Hello', targets: [{ language: 'fr' }] }] },
    });
    expect(since.json()).toEqual({
      value: [
        {
          detectedLanguage: { language: 'en', score: 1 },
          translations: [{ language: 'fr', text: '[fr] Hello' }],
        },
      ],
    });
  });
});

describe('a call with the key of before a regeneration', () => {
  it('is refused at once, while the other slot goes on', async () => {
    const old = await keys();
    const fresh = await regenerate('Key1');
    const refused = await withKey(old.key1);
    expect(refused.status).toBe(401);
    expect(refused.json()).toMatchObject({
      error: {
        code: '401',
        message: expect.stringMatching(/^Access denied due to invalid subscription key/),
      },
    });
    expect((await withKey(fresh.key1)).status).toBe(200);
    expect((await withKey(old.key2)).status).toBe(200);
  });

  it('passes for a while behind slow gateways, and the new one does not yet', async () => {
    azure.control.faults.add({
      service: 'arm',
      operation: 'regenerateKey',
      effect: { kind: 'lag', oldKeyForMs: 4_000, newKeyAfterMs: 2_000 },
    });
    const old = await keys();
    const fresh = await regenerate('Key2');
    const statuses = async () => [(await withKey(old.key2)).status, (await withKey(fresh.key2)).status];
    expect(await statuses()).toEqual([200, 401]);
    now += 4_000;
    expect(await statuses()).toEqual([401, 200]);
  });
});

describe('a keyless account', () => {
  it('says that keys are disabled, and takes an Entra token of whoever has the role', async () => {
    const denied = await ask({ 'api-key': 'whatever' }, 'keyless');
    expect([denied.status, denied.json()]).toMatchObject([
      403,
      { error: { code: 'AuthenticationTypeDisabled' } },
    ]);
    const scope = 'https://cognitiveservices.azure.com/.default';
    const asWho = async (name: string) =>
      await ask({ authorization: `Bearer ${await token(name, scope)}` }, 'keyless');
    expect((await asWho('caller')).status).toBe(200);
    expect((await asWho('nobody')).json()).toMatchObject({ error: { code: 'PermissionDenied' } });
  });
});

describe('a token exchanged for a key', () => {
  const exchange = async (key: string, path = '/language/sts/v1.0/issueToken') =>
    await azure.call(path, {
      method: 'POST',
      headers: { 'ocp-apim-subscription-key': key, 'user-agent': 'consumer/1 node' },
    });
  const withToken = async (text: string) => (await ask({ authorization: `Bearer ${text}` })).status;

  it('is valid for ten minutes', async () => {
    const { text } = await exchange((await keys()).key1);
    expect((decodeJwt(text).exp ?? 0) * 1000 - now).toBeLessThanOrEqual(600_000);
    expect(await withToken(text)).toBe(200);
    now += 600_001;
    azure.control.ledger.reset();
    const late = await ask({ authorization: `Bearer ${text}` });
    expect([late.status, late.json()]).toMatchObject([
      401,
      { statusCode: 401, message: expect.stringMatching(/or have expired\.$/) },
    ]);
    expect(azure.control.ledger.entries()).toMatchObject([
      { proof: 'issued-token', slot: 'key1', outcome: 'refused' },
    ]);
  });

  it('is sold at a region’s own endpoint too, which finds the account by its key', async () => {
    const { text, headers } = await exchange((await keys()).key2, '/sts/v1.0/issueToken');
    expect(headers['content-type']).toMatch(/^application\/jwt/);
    expect(await withToken(text)).toBe(200);
    expect(azure.control.ledger.entries()).toMatchObject([
      { account: 'language', proof: 'key', slot: 'key2' },
      { account: 'language', proof: 'issued-token', slot: 'key2' },
    ]);
    expect((await exchange('wrong', '/sts/v1.0/issueToken')).status).toBe(401);
  });

  it('is not given by accounts that have none, and not taken by another account', async () => {
    const { key1 } = await keys('listKeys', undefined, 'text');
    expect((await exchange(key1, '/text/sts/v1.0/issueToken')).status).toBe(401);
    const { text } = await exchange((await keys()).key1);
    expect((await ask({ authorization: `Bearer ${text}` }, 'speech')).status).toBe(401);
  });

  it('says which service it is for', async () => {
    const { key1 } = await keys('listKeys', undefined, 'speech');
    const { text } = await exchange(key1, '/speech/sts/v1.0/issueToken');
    expect(decodeJwt(text)).toMatchObject({
      aud: 'urn:ms.speechservices.westeurope',
      scope: 'speechservices',
    });
  });

  it('is worth nothing when keys are disabled after it was bought', async () => {
    const { key1 } = await keys('listKeys', undefined, 'speech');
    const { text } = await exchange(key1, '/speech/sts/v1.0/issueToken');
    azure.control.accounts.put({ name: 'speech', disableLocalAuth: true });
    const denied = await ask({ authorization: `Bearer ${text}` }, 'speech');
    azure.control.accounts.put({ name: 'speech', disableLocalAuth: false });
    expect([denied.status, denied.json()]).toMatchObject([
      403,
      { error: { code: 'AuthenticationTypeDisabled' } },
    ]);
  });

  it('is not given for a wrong key', async () => {
    expect((await exchange('wrong')).status).toBe(401);
  });

  it('outlives its key, unless told otherwise', async () => {
    const { text } = await exchange((await keys()).key1);
    await regenerate('Key1');
    expect(await withToken(text)).toBe(200);
    azure.control.tokensSurviveRegeneration = false;
    expect(await withToken(text)).toBe(401);
    azure.control.tokensSurviveRegeneration = true;
  });
});

describe('the ledger', () => {
  it('tells who used which slot of which account, and who was refused', async () => {
    const old = await keys();
    await withKey(old.key1);
    await withKey(old.key1);
    await regenerate('Key1');
    await ask({ 'user-agent': 'prober/2', 'api-key': old.key1 });
    await ask({ 'api-key': 'never-a-key' });
    await ask({});
    const rows = azure.control.ledger
      .entries()
      .map(({ caller, proof, slot, outcome, count }) => [caller, proof, slot, outcome, count]);
    expect(rows).toEqual([
      ['consumer/1', 'key', 'key1', 'accepted', 2],
      ['prober/2', 'key', 'former', 'refused', 1],
      ['consumer/1', 'key', 'unknown', 'refused', 1],
      ['consumer/1', 'none', 'none', 'refused', 1],
    ]);
  });
});
