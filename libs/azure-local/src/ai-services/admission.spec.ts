import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';
import { applicationToken } from '../testing/application-token.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
let now = Date.now();
const chatAction = 'Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action';

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'admission-')),
    clock: () => now,
    limits: { arm: 'off' },
    fleet: [{ name: 'multi', kind: 'AIServices', resourceGroup: 'rg' }],
    applications: [
      {
        name: 'chatter',
        assignments: [{ role: 'Cognitive Services OpenAI User', scope: 'resourceGroups/rg' }],
      },
      { name: 'reader', assignments: [{ role: 'Cognitive Services Data Reader (Preview)' }] },
      { name: 'narrow', assignments: [{ dataActions: [chatAction] }] },
    ],
  });
});
afterAll(() => azure.close());
beforeEach(() => {
  azure.control.ledger.reset();
});

const cognitive = 'https://cognitiveservices.azure.com/.default';
const token = (name: string, scope = cognitive) => applicationToken(azure, name, scope);

const arm = async (method: string, rest: string, body?: unknown) => {
  const authorization = `Bearer ${await token('default', 'https://management.azure.com/.default')}`;
  const path = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts`;
  return await azure.call(`${path}${rest}?api-version=2025-09-01`, {
    method,
    headers: { authorization },
    body,
  });
};
const say = { messages: [{ role: 'user', content: 'Hello' }] };
const post = async (path: string, bearer: string, body: unknown = say) =>
  await azure.call(path, { method: 'POST', headers: { authorization: `Bearer ${bearer}` }, body });
const chat = '/multi/openai/deployments/gpt/chat/completions';
const detect = '/multi/text/analytics/v3.1/languages';

describe('a bearer token that is no good', () => {
  it('is refused in the gateway’s own words, whatever is wrong with it', async () => {
    const expired = await token('chatter');
    now += 2 * 3_600_000;
    const wrongAudience = await token('chatter', 'https://management.azure.com/.default');
    for (const bearer of [expired, wrongAudience, 'a.b.c']) {
      const refused = await post(chat, bearer);
      expect([refused.status, refused.json()]).toEqual([
        401,
        {
          statusCode: 401,
          message:
            'Unauthorized. Access token is missing, invalid, audience is incorrect ' +
            '(https://cognitiveservices.azure.com), or have expired.',
        },
      ]);
    }
    expect((await azure.call(chat, { method: 'POST', body: say })).json()).toMatchObject({ statusCode: 401 });
  });
});

describe('a role for data', () => {
  it('opens the services that it names, also of a multi-service account', async () => {
    expect((await post(chat, await token('chatter'))).status).toBe(200);
    expect((await post(chat, await token('narrow'))).status).toBe(200);
    expect(
      (await post('/multi/openai/v1/responses', await token('chatter'), { input: 'Hello' })).status,
    ).toBe(200);
  });

  it('opens nothing else: OpenAI says which action is missing, the others do not', async () => {
    const documents = { documents: [{ id: '1', text: 'Hello' }] };
    const refused = await post(detect, await token('chatter'), documents);
    expect([refused.status, refused.json()]).toEqual([
      401,
      { error: { code: 'PermissionDenied', message: 'Principal does not have access to API/Operation.' } },
    ]);
    expect((await post(chat, await token('reader'))).json()).toEqual({
      error: {
        code: 'PermissionDenied',
        message: expect.stringMatching(
          /^The principal `[0-9a-f-]{36}` lacks the required data action `Microsoft.*chat\/completions\/action` to perform `POST \/openai\/deployments\/\{deployment-id\}\/chat\/completions` operation\.$/,
        ),
      },
    });
    const list = await azure.call('/multi/openai/models', {
      headers: { authorization: `Bearer ${await token('reader')}` },
    });
    expect(list.status).toBe(200);
  });
});

describe('the newest route of OpenAI', () => {
  const route = '/multi/openai/v1/chat/completions';

  it('takes a key for a bearer token', async () => {
    const { key1 } = (await arm('POST', '/multi/listKeys')).json() as { key1: string };
    expect((await post(route, key1)).status).toBe(200);
    expect((await post(route, 'not-a-key')).status).toBe(401);
    expect((await post(chat, key1)).status).toBe(401);
    expect(azure.control.ledger.entries()).toMatchObject([
      { proof: 'key', slot: 'key1', outcome: 'accepted' },
      { proof: 'key', slot: 'unknown', outcome: 'refused' },
      { proof: 'entra', slot: 'none', outcome: 'refused' },
    ]);
  });

  it('takes tokens for the new audience, which the older ones do not', async () => {
    const bearer = await token('chatter', 'https://ai.azure.com/.default');
    expect((await post(route, bearer)).status).toBe(200);
    expect((await post(chat, bearer)).status).toBe(401);
  });
});

describe('an account without a subdomain', () => {
  it('takes keys only', async () => {
    await arm('PUT', '/plain', { kind: 'OpenAI', location: 'westeurope', sku: { name: 'S0' } });
    const refused = await post('/plain/openai/deployments/gpt/chat/completions', await token('chatter'));
    expect([refused.status, refused.json()]).toMatchObject([
      400,
      { error: { code: 'BadRequest', message: expect.stringMatching(/custom subdomain for token/) } },
    ]);
  });
});
