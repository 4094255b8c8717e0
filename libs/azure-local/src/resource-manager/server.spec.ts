import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CognitiveServicesManagementClient, type Account } from '@azure/arm-cognitiveservices';
import { ClientSecretCredential } from '@azure/identity';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
let owner: CognitiveServicesManagementClient;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'arm-')),
    pageSize: 2,
    limits: {
      arm: {
        reads: { burst: 1000, perSecond: 1 },
        writes: { burst: 60, perSecond: 1 },
        deletes: { burst: 9, perSecond: 1 },
      },
    },
    fleet: [
      { name: 'aa', resourceGroup: 'rg-one', kind: 'TextAnalytics' },
      { name: 'bb', resourceGroup: 'rg-one', keyFormat: 'hex32' },
      { name: 'cc', resourceGroup: 'rg-two', disableLocalAuth: true },
    ],
    applications: [
      {
        name: 'rotator',
        assignments: [
          {
            actions: ['read', 'listKeys/action'].map(
              (verb) => `Microsoft.CognitiveServices/accounts/${verb}`,
            ),
            scope: 'resourceGroups/rg-one',
          },
        ],
      },
    ],
  });
  owner = client('default');
});
afterAll(() => azure.close());
beforeEach(() => {
  azure.control.faults.remove();
});

function client(name: string, maxRetries = 0): CognitiveServicesManagementClient {
  const { tenantId, clientId, clientSecret } = azure.applications.find((one) => one.name === name) ?? {
    tenantId: '',
    clientId: '',
    clientSecret: '',
  };
  const tlsOptions = { ca: azure.ca };
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions,
  });
  return new CognitiveServicesManagementClient(credential, azure.subscriptionId, {
    endpoint: azure.endpoints.origin,
    credentialScopes: 'https://management.azure.com/.default',
    tlsOptions,
    retryOptions: { maxRetries, retryDelayInMs: 1 },
  });
}

async function names(pages: AsyncIterable<Account>): Promise<(string | undefined)[]> {
  const found = [];
  for await (const { name } of pages) found.push(name);
  return found;
}

describe('the accounts of a subscription', () => {
  it('are listed over all pages, whole or by resource group, and shown one by one', async () => {
    expect(await names(owner.accounts.list())).toEqual(['aa', 'bb', 'cc']);
    expect(await names(owner.accounts.listByResourceGroup('RG-ONE'))).toEqual(['aa', 'bb']);
    expect(await owner.accounts.get('rg-one', 'AA')).toMatchObject({
      id: `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-one/providers/Microsoft.CognitiveServices/accounts/aa`,
      kind: 'TextAnalytics',
      properties: {
        endpoint: `${azure.endpoints.origin}/aa/`,
        provisioningState: 'Succeeded',
        disableLocalAuth: false,
      },
    });
  });

  it('are created, changed and deleted', async () => {
    const made = await owner.accounts.beginCreateAndWait('rg-two', 'dd', {
      kind: 'OpenAI',
      location: 'westeurope',
      sku: { name: 'S0' },
    });
    expect(made).toMatchObject({ name: 'dd', kind: 'OpenAI' });
    const changed = await owner.accounts.beginUpdateAndWait('rg-two', 'dd', { tags: { team: 'language' } });
    expect(changed.tags).toEqual({ team: 'language' });
    await owner.accounts.beginDeleteAndWait('rg-two', 'dd');
    await expect(owner.accounts.get('rg-two', 'dd')).rejects.toMatchObject({
      statusCode: 404,
      code: 'ResourceNotFound',
    });
  });
});

describe('a regeneration', () => {
  it('answers with both keys, one of them new, and the level of the write bucket', async () => {
    const before = await owner.accounts.listKeys('rg-one', 'bb');
    let left = Number.NaN;
    const after = await owner.accounts.regenerateKey('rg-one', 'bb', 'Key2', {
      onResponse: ({ headers }) =>
        (left = Number(headers.get('x-ms-ratelimit-remaining-subscription-writes'))),
    });
    expect(after).toEqual({ key1: before.key1, key2: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(after.key2).not.toBe(before.key2);
    expect(await owner.accounts.listKeys('rg-one', 'bb')).toEqual(after);
    expect(left).toBeLessThan(60);
  });

  it('whose answer is lost has happened once, or twice when the client retries', async () => {
    const fault = {
      service: 'arm',
      operation: 'regenerateKey',
      effect: { kind: 'drop-after-effect' },
    } as const;
    const seen = new Set<string | undefined>();
    const look = async () => seen.add((await owner.accounts.listKeys('rg-one', 'aa')).key1);
    await look();
    azure.control.faults.add(fault);
    await expect(owner.accounts.regenerateKey('rg-one', 'aa', 'Key1')).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
    await look();
    expect(seen.size).toBe(2);

    azure.control.faults.add(fault);
    const answered = await client('default', 2).accounts.regenerateKey('rg-one', 'aa', 'Key1');
    expect(azure.control.accounts.judge('aa', answered.key1 ?? '')).toEqual({ accepted: true, slot: 'key1' });
    expect(azure.control.faults.list().map(({ struck }) => struck)).toEqual([1, 1]);
    await look();
    expect(seen).toContain(answered.key1);
  });

  it('that lingers on its way takes effect though its sender has given up', async () => {
    const before = await owner.accounts.listKeys('rg-one', 'aa');
    azure.control.faults.add({
      service: 'arm',
      operation: 'regenerateKey',
      effect: { kind: 'delay', ms: 150 },
    });
    await expect(
      owner.accounts.regenerateKey('rg-one', 'aa', 'Key1', { requestOptions: { timeout: 40 } }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    const isAlive = () => azure.control.accounts.judge('aa', before.key1 ?? '')?.accepted;
    expect(isAlive()).toBe(true);
    while (isAlive() === true) await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await owner.accounts.listKeys('rg-one', 'aa')).key1).not.toBe(before.key1);
  });
});

describe('a stale listKeys', () => {
  it('shows the keys of before the regeneration, once', async () => {
    const before = await owner.accounts.listKeys('rg-one', 'aa');
    const after = await owner.accounts.regenerateKey('rg-one', 'aa', 'Key2');
    azure.control.faults.add({ service: 'arm', operation: 'listKeys', effect: { kind: 'stale' } });
    expect(await owner.accounts.listKeys('rg-one', 'aa')).toEqual(before);
    expect(await owner.accounts.listKeys('rg-one', 'aa')).toEqual(after);
  });
});

describe('an application with a narrow role', () => {
  it('does what the role allows and is refused the rest with 403 that names action and scope', async () => {
    const rotator = client('rotator');
    expect((await rotator.accounts.listKeys('rg-one', 'aa')).key1).toBeDefined();
    await expect(rotator.accounts.regenerateKey('rg-one', 'aa', 'Key1')).rejects.toMatchObject({
      statusCode: 403,
      code: 'AuthorizationFailed',
      message: expect.stringMatching(/regenerateKey\/action.*accounts\/aa/),
    });
    await expect(rotator.accounts.listKeys('rg-two', 'cc')).rejects.toMatchObject({ statusCode: 403 });
    await expect(names(rotator.accounts.list())).rejects.toMatchObject({ statusCode: 403 });
  });
});

describe('what is not there, or not possible', () => {
  it('is refused as Azure does', async () => {
    await expect(owner.accounts.get('rg-none', 'aa')).rejects.toMatchObject({
      code: 'ResourceGroupNotFound',
    });
    await expect(owner.accounts.get('rg-two', 'aa')).rejects.toMatchObject({ code: 'ResourceNotFound' });
    await expect(owner.accounts.listKeys('rg-two', 'cc')).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadRequest',
      message: expect.stringMatching(/disableLocalAuth is set to be true/),
    });
    const bare = await azure.call(`/subscriptions/${azure.subscriptionId}?api-version=1`);
    expect(bare.json()).toMatchObject({ error: { code: 'AuthenticationFailed' } });
    expect(bare.headers['www-authenticate']).toMatch(/^Bearer authorization_uri=/);
    const odd = await azure.call('/subscriptions?api-version=1', {
      headers: { authorization: 'Bearer a.b.c' },
    });
    expect(odd.json()).toMatchObject({ error: { code: 'InvalidAuthenticationToken' } });
  });
});

describe('an empty write bucket', () => {
  it('answers 429 with the seconds to wait', async () => {
    const rotator = client('rotator');
    const drain = async () => {
      for (let n = 0; n < 70; n += 1) await rotator.accounts.listKeys('rg-one', 'aa');
    };
    await expect(drain()).rejects.toMatchObject({
      statusCode: 429,
      code: 'SubscriptionRequestsThrottled',
      response: { headers: expect.anything() },
    });
    const error: unknown = await rotator.accounts.listKeys('rg-one', 'aa').catch((e: unknown) => e);
    const { response } = error as { response: { headers: { get(name: string): string } } };
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });
});
