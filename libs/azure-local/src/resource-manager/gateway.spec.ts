import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CognitiveServicesManagementClient } from '@azure/arm-cognitiveservices';
import { ClientSecretCredential } from '@azure/identity';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
let authorization: string;
let subscription: string;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'gateway-')),
    limits: {
      arm: {
        reads: { burst: 100, perSecond: 1 },
        writes: { burst: 1, perSecond: 0.01 },
        deletes: { burst: 9, perSecond: 1 },
      },
    },
    fleet: [{ name: 'language', resourceGroup: 'rg', kind: 'TextAnalytics' }],
  });
  authorization = `Bearer ${(await credential().getToken('https://management.azure.com/.default')).token}`;
  subscription = `/subscriptions/${azure.subscriptionId}`;
});
afterAll(() => azure.close());

function credential(local = azure): ClientSecretCredential {
  const [{ tenantId, clientId, clientSecret } = { tenantId: '', clientId: '', clientSecret: '' }] =
    local.applications;
  return new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: local.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: local.ca },
  });
}

const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  azure.call(path, { method, headers: { authorization, ...headers } });
const accounts = '/providers/Microsoft.CognitiveServices/accounts';

describe('a request whose api-version', () => {
  it.each(['', '?api-version=', '?api-version=%20'])('is missing (%s) is asked for one', async (query) => {
    const refused = await ask(`${subscription}${query}`);
    expect([refused.status, refused.json()]).toMatchObject([
      400,
      { error: { code: 'MissingApiVersionParameter' } },
    ]);
    expect(refused.headers['x-ms-failure-cause']).toBe('gateway');
  });

  it('is none of those of subscriptions, groups and providers is told which are', async () => {
    for (const path of [
      '/subscriptions',
      '/tenants',
      `${subscription}/resourcegroups`,
      `${subscription}/providers`,
    ]) {
      const refused = await ask(`${path}?api-version=2001-01-01`);
      expect([refused.status, refused.json()]).toMatchObject([
        400,
        {
          error: {
            code: 'InvalidApiVersionParameter',
            message: expect.stringMatching(/'2001-01-01' is invalid.*2022-12-01,/),
          },
        },
      ]);
    }
  });

  it('is none of the accounts’ finds no provider', async () => {
    expect((await ask(`${subscription}${accounts}?api-version=2020-06-01`)).json()).toMatchObject({
      error: {
        code: 'NoRegisteredProviderFound',
        message: expect.stringMatching(/API version '2020-06-01' for type 'accounts'.*'2025-09-01, /),
      },
    });
    const deleted = `${subscription}/providers/Microsoft.CognitiveServices/deletedAccounts`;
    expect((await ask(`${deleted}?api-version=2017-04-18`)).json()).toMatchObject({
      error: { code: 'NoRegisteredProviderFound' },
    });
  });

  it('is any of theirs is served', async () => {
    for (const version of ['2017-04-18', '2022-10-01', '2025-09-01'])
      expect((await ask(`${subscription}${accounts}?api-version=${version}`)).status).toBe(200);
  });
});

describe('every answer', () => {
  it('brings back the correlation id, and carries what Azure’s gateway adds', async () => {
    const { headers } = await ask(`${subscription}?api-version=2022-12-01`, {
      'x-ms-correlation-request-id': '11111111-2222-3333-4444-555555555555',
      'x-ms-client-request-id': 'mine',
      'x-ms-return-client-request-id': 'true',
    });
    expect(headers).toMatchObject({
      'x-ms-correlation-request-id': '11111111-2222-3333-4444-555555555555',
      'x-ms-client-request-id': 'mine',
      'x-ms-routing-request-id': expect.stringMatching(/^WESTEUROPE:\d{8}T\d{6}Z:11111111-/),
      'strict-transport-security': expect.stringMatching(/^max-age=/),
      'x-content-type-options': 'nosniff',
      'x-ms-ratelimit-remaining-subscription-reads': expect.stringMatching(/^\d+$/),
      'x-ms-ratelimit-remaining-subscription-global-reads': expect.stringMatching(/^\d+$/),
    });
  });

  it('counts requests about no subscription apart', async () => {
    for (const path of ['/subscriptions', '/tenants']) {
      const { headers } = await ask(`${path}?api-version=2022-12-01`);
      expect(headers['x-ms-ratelimit-remaining-tenant-reads']).toMatch(/^\d+$/);
      expect(headers).not.toHaveProperty('x-ms-ratelimit-remaining-subscription-reads');
    }
  });

  it('of an empty bucket says that nothing is left', async () => {
    const keys = `${subscription}/resourceGroups/rg${accounts}/language/listKeys?api-version=2023-05-01`;
    expect((await ask(keys, {}, 'POST')).status).toBe(200);
    const refused = await ask(keys, {}, 'POST');
    expect([refused.status, refused.headers]).toMatchObject([
      429,
      { 'x-ms-ratelimit-remaining-subscription-writes': '0', 'retry-after': expect.stringMatching(/^\d+$/) },
    ]);
  });
});

describe('a planted failure', () => {
  it.each([
    [500, 'InternalServerError'],
    [503, 'ServiceUnavailable'],
    [504, 'GatewayTimeout'],
  ])('of status %i is called as Azure calls it', async (status, code) => {
    azure.control.faults.add({
      service: 'arm',
      operation: 'getSubscription',
      effect: { kind: 'status', status },
    });
    const failed = await ask(`${subscription}?api-version=2022-12-01`);
    expect([failed.status, failed.json()]).toMatchObject([status, { error: { code } }]);
    expect(failed.headers['x-ms-correlation-request-id']).toBeDefined();
  });
});

describe('what one can learn about the subscription', () => {
  const client = (local = azure) =>
    new CognitiveServicesManagementClient(credential(local), local.subscriptionId, {
      endpoint: local.endpoints.origin,
      credentialScopes: 'https://management.azure.com/.default',
      tlsOptions: { ca: local.ca },
      retryOptions: { maxRetries: 0 },
    });
  async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
    const found = [];
    for await (const one of pages) found.push(one);
    return found;
  }

  it('is the operations, price tiers, usages and models of accounts, through the real client', async () => {
    expect(await all(client().operations.list())).toContainEqual(
      expect.objectContaining({ name: 'Microsoft.CognitiveServices/accounts/regenerateKey/action' }),
    );
    expect(await all(client().resourceSkus.list())).toContainEqual(
      expect.objectContaining({ kind: 'TextAnalytics', name: 'S', tier: 'Standard' }),
    );
    expect((await client().accounts.listSkus('rg', 'language')).value?.map(({ sku }) => sku?.name)).toContain(
      'S',
    );
    expect((await client().accounts.listUsages('rg', 'language')).value).toHaveLength(1);
    expect(await all(client().accounts.listModels('rg', 'language'))).toEqual([]);
    expect(await all(client().models.list('westeurope'))).toContainEqual(
      expect.objectContaining({ kind: 'OpenAI', model: expect.objectContaining({ name: 'gpt-4o' }) }),
    );
  });

  it('is whether a subdomain is free and a price tier sold, through the real client', async () => {
    const generous = await start({
      dataDir: mkdtempSync(join(tmpdir(), 'gateway-')),
      limits: { arm: 'off' },
      fleet: [{ name: 'language', resourceGroup: 'rg' }],
    });
    const type = 'Microsoft.CognitiveServices/accounts';
    const free = async (name: string) =>
      (await client(generous).checkDomainAvailability(name, type)).isSubdomainAvailable;
    expect([await free('LANGUAGE'), await free('another')]).toEqual([false, true]);
    const { value } = await client(generous).checkSkuAvailability('westeurope', ['S0', 'Z9'], 'OpenAI', type);
    expect(value).toMatchObject([
      { skuName: 'S0', skuAvailable: true },
      { skuName: 'Z9', skuAvailable: false },
    ]);
    await generous.close();
  });

  it('is not what no provider has', async () => {
    const code = async (path: string) => {
      const { status, text } = await ask(`${subscription}/providers/${path}?api-version=2024-03-02`);
      return [status, (JSON.parse(text) as { error: { code: string } }).error.code];
    };
    expect(await code('Microsoft.Compute/virtualMachines')).toEqual([404, 'InvalidResourceNamespace']);
    expect(await code('Microsoft.CognitiveServices/oracles')).toEqual([404, 'InvalidResourceType']);
  });

  it('is its providers, registered, and its regions', async () => {
    const provider = await ask(
      `${subscription}/providers/microsoft.cognitiveservices?api-version=2021-04-01`,
    );
    expect(provider.json()).toMatchObject({
      namespace: 'Microsoft.CognitiveServices',
      registrationState: 'Registered',
      resourceTypes: expect.arrayContaining([
        expect.objectContaining({
          resourceType: 'accounts',
          apiVersions: expect.arrayContaining(['2017-04-18', '2025-09-01']),
        }),
      ]),
    });
    expect(
      (await ask(`${subscription}/providers/Microsoft.Nothing?api-version=2021-04-01`)).json(),
    ).toMatchObject({
      error: { code: 'InvalidResourceNamespace' },
    });
    const places = (await ask(`${subscription}/locations?api-version=2022-12-01`)).json();
    expect(places).toMatchObject({
      value: expect.arrayContaining([
        expect.objectContaining({ name: 'westeurope', displayName: 'West Europe' }),
      ]),
    });
  });

  it('is its resources, by name, type, group and region', async () => {
    const find = async (filter: string) => {
      const query = new URLSearchParams({
        'api-version': '2021-04-01',
        ...(filter === '' ? {} : { $filter: filter }),
      });
      const { status, text } = await ask(`${subscription}/resources?${query.toString()}`);
      const { value = [] } = JSON.parse(text) as { value?: { name: string }[] };
      return status === 200 ? value.map(({ name }) => name) : status;
    };
    expect(await find('')).toEqual(['language']);
    expect(
      await find("name eq 'LANGUAGE' and resourceType eq 'microsoft.cognitiveservices/accounts'"),
    ).toEqual(['language']);
    expect(await find("resourceGroup eq 'other'")).toEqual([]);
    expect(await find('name is language')).toBe(400);
  });
});
