import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CognitiveServicesManagementClient } from '@azure/arm-cognitiveservices';
import { ClientSecretCredential } from '@azure/identity';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
let client: CognitiveServicesManagementClient;
let authorization: string;
let now = Date.now();

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'accounts-')),
    clock: () => now,
    limits: { arm: 'off' },
    pageSize: 2,
    tokenLifetimeSeconds: 30 * 24 * 3600, // the specs turn the clock by days
    fleet: [{ name: 'a-there', kind: 'TextAnalytics', sku: 'S', resourceGroup: 'RG' }],
  });
  const [{ tenantId, clientId, clientSecret } = { tenantId: '', clientId: '', clientSecret: '' }] =
    azure.applications;
  const tlsOptions = { ca: azure.ca };
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions,
  });
  authorization = `Bearer ${(await credential.getToken('https://management.azure.com/.default')).token}`;
  client = new CognitiveServicesManagementClient(credential, azure.subscriptionId, {
    endpoint: azure.endpoints.origin,
    credentialScopes: 'https://management.azure.com/.default',
    tlsOptions,
    retryOptions: { maxRetries: 0 },
  });
});
afterAll(() => azure.close());
beforeEach(() => {
  azure.control.faults.remove();
});

const good = { kind: 'TextAnalytics', location: 'westeurope', sku: { name: 'S' } };
async function ask(method: string, rest: string, body?: unknown, query = '') {
  const path = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts${rest}`;
  const answer = await azure.call(`${path}?api-version=2023-05-01${query}`, {
    method,
    headers: { authorization },
    body,
  });
  return { status: answer.status, body: answer.text === '' ? undefined : answer.json() };
}
const code = async (...request: Parameters<typeof ask>) => {
  const { status, body } = await ask(...request);
  return [status, (body as { error?: { code: string } } | undefined)?.error?.code];
};

describe('an account that is made', () => {
  it('keeps and returns what it was given, in the group’s own spelling', async () => {
    const properties = {
      customSubDomainName: 'b-full-domain',
      publicNetworkAccess: 'Disabled',
      networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '10.0.0.0/24' }], virtualNetworkRules: [] },
      restrictOutboundNetworkAccess: true,
      allowedFqdnList: ['example.org'],
      disableLocalAuth: true,
    };
    const made = await client.accounts.beginCreateAndWait('rg', 'b-full', {
      ...good,
      location: 'West Europe',
      identity: { type: 'SystemAssigned' },
      tags: { team: 'a' },
      properties,
    });
    expect(made).toMatchObject({
      id: expect.stringMatching(/\/resourceGroups\/RG\//),
      location: 'westeurope',
      tags: { team: 'a' },
      identity: { type: 'SystemAssigned', principalId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      properties: { ...properties, provisioningState: 'Succeeded' },
    });
    expect((await client.accounts.get('rg', 'b-full')).properties).toMatchObject(properties);
  });

  it('answers 201, and 200 the next time', async () => {
    expect((await ask('PUT', '/b_odd.name', good)).status).toBe(201);
    expect((await ask('PUT', '/b_odd.name', good)).status).toBe(200);
    expect((await ask('GET', '/b_odd.name')).status).toBe(200);
  });

  it('has no subdomain unless it was given one', async () => {
    await ask('PUT', '/b-plain', good);
    expect((await ask('GET', '/b-plain')).body).not.toHaveProperty('properties.customSubDomainName');
  });

  it.each([
    ['LocationRequired', { ...good, location: undefined }],
    ['LocationNotAvailableForResourceType', { ...good, location: 'atlantis' }],
    ['InvalidApiSetId', { ...good, kind: 'Fortune' }],
    ['SpecialFeatureOrQuotaIdRequired', { ...good, sku: { name: 'Z9' } }],
    ['BadRequest', { ...good, sku: undefined }],
    ['BadRequest', { ...good, kind: undefined }],
    ['BadRequest', undefined],
    ['InvalidRequestContent', '{'],
    ['InvalidRequestContent', { ...good, tags: { a: 1 } }],
  ])('is refused with %s', async (expected, body) => {
    expect(await code('PUT', '/b-refused', body)).toEqual([400, expected]);
  });

  it('does not take a subdomain that another one has', async () => {
    const body = { ...good, properties: { customSubDomainName: 'A-There' } };
    expect(await code('PUT', '/b-second', body)).toEqual([409, 'CustomDomainInUse']);
  });
});

describe('an account that is put again', () => {
  it('loses what the request leaves out, and keeps its subdomain', async () => {
    await ask('PUT', '/c-again', {
      ...good,
      tags: { a: 'b' },
      properties: {
        disableLocalAuth: true,
        customSubDomainName: 'c-domain',
        publicNetworkAccess: 'Disabled',
      },
    });
    expect((await ask('PUT', '/c-again', good)).body).toMatchObject({
      tags: {},
      properties: {
        disableLocalAuth: false,
        publicNetworkAccess: 'Enabled',
        customSubDomainName: 'c-domain',
      },
    });
  });

  it('stays where it is and what it is', async () => {
    expect(await code('PUT', '/a-there', { ...good, location: 'eastus' })).toEqual([
      409,
      'InvalidResourceLocation',
    ]);
    expect(await code('PUT', '/a-there', { ...good, kind: 'OpenAI' })).toEqual([400, 'UpdateKindNotAllowed']);
    expect(await code('PATCH', '/a-there', { kind: 'OpenAI' })).toEqual([400, 'UpdateKindNotAllowed']);
  });
});

describe('an account that is patched', () => {
  it('keeps what the request does not name', async () => {
    await ask('PUT', '/c-patched', { ...good, tags: { a: 'b' }, properties: { allowedFqdnList: ['x.org'] } });
    const changed = await client.accounts.beginUpdateAndWait('rg', 'c-patched', {
      properties: { publicNetworkAccess: 'Disabled' },
    });
    expect(changed).toMatchObject({
      tags: { a: 'b' },
      properties: { allowedFqdnList: ['x.org'], publicNetworkAccess: 'Disabled' },
    });
  });
});

describe('an account that is deleted', () => {
  const deleted = async () => {
    const names = [];
    for await (const { name } of client.deletedAccounts.list()) names.push(name);
    return names;
  };

  it('can be had back, keys and all, but not made anew', async () => {
    await client.accounts.beginCreateAndWait('rg', 'd-back', good);
    const keys = await client.accounts.listKeys('rg', 'd-back');
    await client.accounts.beginDeleteAndWait('rg', 'd-back');
    expect(await code('GET', '/d-back')).toEqual([404, 'ResourceNotFound']);
    expect(await deleted()).toContain('d-back');
    expect(await client.deletedAccounts.get('westeurope', 'rg', 'd-back')).toMatchObject({
      id: expect.stringMatching(/\/locations\/westeurope\/resourceGroups\/RG\/deletedAccounts\/d-back$/),
      properties: { deletionDate: expect.anything(), scheduledPurgeDate: expect.anything() },
    });
    expect(await code('PUT', '/d-back', good)).toEqual([409, 'FlagMustBeSetForRestore']);
    await client.accounts.beginCreateAndWait('rg', 'd-back', { ...good, properties: { restore: true } });
    expect(await client.accounts.listKeys('rg', 'd-back')).toEqual(keys);
    expect(await deleted()).not.toContain('d-back');
  });

  it('is gone for good when it is purged, and its name is free', async () => {
    await ask('PUT', '/d-purged', good);
    await ask('DELETE', '/d-purged');
    await client.deletedAccounts.beginPurgeAndWait('westeurope', 'rg', 'd-purged');
    await expect(client.deletedAccounts.get('westeurope', 'rg', 'd-purged')).rejects.toMatchObject({
      statusCode: 404,
    });
    expect((await ask('PUT', '/d-purged', good)).status).toBe(201);
  });

  it('is gone by itself after two days', async () => {
    await ask('PUT', '/d-late', good);
    await ask('DELETE', '/d-late');
    now += 48 * 3_600_000 - 1;
    expect(await deleted()).toContain('d-late');
    now += 1;
    expect(await deleted()).not.toContain('d-late');
    expect((await ask('PUT', '/d-late', good)).status).toBe(201);
  });

  it('answers 204 when there was none', async () => {
    expect((await ask('DELETE', '/d-never')).status).toBe(204);
  });
});

describe('a regeneration that is not well asked for', () => {
  it.each([
    ['BadRequest', undefined],
    ['BadRequest', {}],
    ['InvalidRequestContent', '{"keyName"'],
    ['InvalidRequestContent', { keyName: 'Key3' }],
  ])('is refused with %s, and changes nothing', async (expected, body) => {
    const before = await client.accounts.listKeys('rg', 'a-there');
    expect(await code('POST', '/a-there/regenerateKey', body)).toEqual([400, expected]);
    expect(await client.accounts.listKeys('rg', 'a-there')).toEqual(before);
  });

  it('minds no capitals in the name of the key', async () => {
    expect((await ask('POST', '/a-there/regenerateKey', { keyName: 'key1' })).status).toBe(200);
  });
});

describe('a list over several pages', () => {
  it('shows nobody twice and leaves nobody out, whatever comes and goes in between', async () => {
    for (const name of ['e-1', 'e-2', 'e-3']) await ask('PUT', `/${name}`, good);
    const [seen, before]: [string[], string[]] = [[], []];
    const all = await client.accounts.listByResourceGroup('rg').next();
    expect(all.done).toBe(false);
    let first = true;
    for await (const { name = '' } of client.accounts.listByResourceGroup('rg')) {
      seen.push(name);
      if (first) {
        first = false;
        before.push(...azure.control.accounts.names());
        await ask('DELETE', `/${before[0] ?? ''}`); // the first page is out already
      }
    }
    expect(seen).toEqual([...before].sort());
  });

  it('refuses a token that it never gave', async () => {
    for (const token of ['2', 'x', Buffer.from('a').toString('base64url')])
      expect(await code('GET', '', undefined, `&$skiptoken=${token}`)).toEqual([400, 'InvalidSkipToken']);
  });
});

describe('a stale read', () => {
  it('shows an account, and the list, of before the last change', async () => {
    await ask('PUT', '/f-stale', { ...good, tags: { at: 'first' } });
    await ask('PATCH', '/f-stale', { tags: { at: 'second' } });
    for (const operation of ['getAccount', 'listAccountsByResourceGroup'])
      azure.control.faults.add({ service: 'arm', operation, effect: { kind: 'stale' } });
    expect((await ask('GET', '/f-stale')).body).toMatchObject({ tags: { at: 'first' } });
    expect((await ask('GET', '/f-stale')).body).toMatchObject({ tags: { at: 'second' } });
    await ask('PUT', '/0-newest', good);
    const names = async () =>
      ((await ask('GET', '')).body as { value: { name: string }[] }).value.map(({ name }) => name);
    expect(await names()).not.toContain('0-newest');
    expect(await names()).toContain('0-newest');
  });
});
