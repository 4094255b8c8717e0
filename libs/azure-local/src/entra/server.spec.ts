import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ClientSecretCredential,
  DefaultAzureCredential,
  ManagedIdentityCredential,
  WorkloadIdentityCredential,
} from '@azure/identity';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createRemoteJWKSet, customFetch, decodeJwt, jwtVerify } from 'jose';
import { start, type AzureLocal } from '../host/start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

const folder = mkdtempSync(join(tmpdir(), 'entra-'));
const subject = 'system:serviceaccount:apps:worker';
let azure: AzureLocal;
let now = Date.now();

beforeAll(async () => {
  azure = await start({
    dataDir: folder,
    clock: () => now,
    applications: [
      {
        name: 'worker',
        federatedCredentials: [{ subject }],
        appRoles: [{ resource: 'api://notices', role: 'Report' }],
      },
      { name: 'machine', managedIdentity: true },
    ],
  });
});
afterAll(() => azure.close());

const vault = 'https://vault.azure.net/.default';
const client = () => ({
  authorityHost: azure.endpoints.origin,
  disableInstanceDiscovery: true,
  tlsOptions: { ca: azure.ca },
  retryOptions: { maxRetries: 0 },
});
const application = (name: string) => {
  const found = azure.applications.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no application ${name}`);
  return found;
};
const withSecret = (name: string, secret = application(name).clientSecret, tenant = azure.tenantId) =>
  new ClientSecretCredential(tenant, application(name).clientId, secret, client());
const withToken = (tokenFilePath: string) =>
  new WorkloadIdentityCredential({
    tenantId: azure.tenantId,
    clientId: application('worker').clientId,
    tokenFilePath,
    ...client(),
  });

describe('an application with its secret', () => {
  it('gets a token for the resource it asks, signed with the published key', async () => {
    const { token } = await withSecret('worker').getToken(vault);
    const keys = createRemoteJWKSet(
      new URL(`${azure.endpoints.origin}/${azure.tenantId}/discovery/v2.0/keys`),
      {
        [customFetch]: async (url: string) => new Response((await azure.call(url)).text),
      },
    );
    const { payload } = await jwtVerify(token, keys, { audience: 'https://vault.azure.net' });
    const { clientId, objectId } = application('worker');
    expect(payload).toMatchObject({
      appid: clientId,
      oid: objectId,
      sub: objectId,
      tid: azure.tenantId,
      idtyp: 'app',
    });
    expect(payload.iss).toBe(`https://sts.windows.net/${azure.tenantId}/`);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3599);
  });

  it('carries its app roles in tokens for that API, and there only', async () => {
    const roles = async (scope: string) =>
      decodeJwt((await withSecret('worker').getToken(scope)).token)['roles'];
    expect(await roles('api://notices/.default')).toEqual(['Report']);
    expect(await roles(vault)).toBeUndefined();
  });
});

describe('a program with the environment of the emulator', () => {
  it('gets tokens through the default chain, by configuration only', async () => {
    Object.assign(process.env, azure.environment());
    const tlsOptions = { ca: azure.ca };
    const credential = new DefaultAzureCredential({ disableInstanceDiscovery: true, tlsOptions });
    const { token } = await credential.getToken(vault);
    expect(decodeJwt(token)['appid']).toBe(application('default').clientId);
  });
});

describe('a program on the machine', () => {
  const identity = async (path: string, headers: Readonly<Record<string, string>>) =>
    await azure.call(path, { headers });

  it('gets tokens of its managed identity through the SDK, of the system or of a user', async () => {
    process.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] = azure.endpoints.origin;
    const tlsOptions = { ca: azure.ca };
    const { clientId } = application('machine');
    const assigned = new ManagedIdentityCredential({ clientId, tlsOptions });
    expect(decodeJwt((await assigned.getToken(vault)).token)).toMatchObject({
      appid: clientId,
      aud: 'https://vault.azure.net',
    });
    const system = new ManagedIdentityCredential({ tlsOptions });
    const { token } = await system.getToken('https://management.azure.com/.default');
    expect(decodeJwt(token)['appid']).toBe(application('default').clientId);
  });

  it('gets them in the form of App Service, with its header only', async () => {
    const query = 'api-version=2019-08-01&resource=https://vault.azure.net';
    const answer = await identity(`/msi/token?${query}`, { 'x-identity-header': 'x' });
    expect(answer.json()).toMatchObject({
      token_type: 'Bearer',
      resource: 'https://vault.azure.net',
      client_id: application('default').clientId,
      expires_on: String(Math.floor(now / 1000) + 3599),
    });
    expect((await identity(`/msi/token?${query}`, {})).status).toBe(401);
  });

  it('is refused without the header, without a resource, and as an application that is no managed identity', async () => {
    const path = '/metadata/identity/oauth2/token/?api-version=2018-02-01';
    const resource = '&resource=https://vault.azure.net';
    const metadata = { metadata: 'true' };
    const refusals = [
      await identity(`${path}${resource}`, {}),
      await identity(path, metadata),
      await identity(`${path}${resource}&client_id=${application('worker').clientId}`, metadata),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([400, 400, 400]);
    expect(refusals.map((one) => (one.json() as { error_description: string }).error_description)).toEqual([
      'Required metadata header not specified',
      "Required query variable 'resource' is missing",
      'Identity not found',
    ]);
  });
});

describe('a wrong proof', () => {
  it('is refused by its number: secret, tenant, scope', async () => {
    await expect(withSecret('worker', 'guess').getToken(vault)).rejects.toThrow(/AADSTS7000215/);
    await expect(withSecret('worker', undefined, crypto.randomUUID()).getToken(vault)).rejects.toThrow(
      /endpoints_resolution|90002/,
    );
    await expect(withSecret('worker').getToken('https://vault.azure.net')).rejects.toThrow(/AADSTS1002012/);
  });

  it('never shows the secret that was guessed', async () => {
    const error: unknown = await withSecret('worker', 'guessed-secret')
      .getToken(vault)
      .catch((e: unknown) => e);
    expect(String(error)).not.toContain('guessed-secret');
  });
});

describe('a workload with a projected token', () => {
  const file = join(folder, 'token');

  it('gets a token when issuer, subject and audience are the registered ones', async () => {
    await azure.control.writeFederatedToken(file, { subject });
    const { token } = await withToken(file).getToken(vault);
    expect(decodeJwt(token)['appid']).toBe(application('worker').clientId);
  });

  it('is refused as another subject', async () => {
    await azure.control.writeFederatedToken(file, { subject: 'system:serviceaccount:apps:stranger' });
    await expect(withToken(file).getToken(vault)).rejects.toThrow(/AADSTS700213/);
  });

  it('is refused for another audience', async () => {
    await azure.control.writeFederatedToken(file, { subject, audience: 'api://elsewhere' });
    await expect(withToken(file).getToken(vault)).rejects.toThrow(/AADSTS700212/);
  });

  it('is refused when its token is over', async () => {
    await azure.control.writeFederatedToken(file, { subject, lifetimeSeconds: 60 });
    now += 61_000;
    await expect(withToken(file).getToken(vault)).rejects.toThrow(/AADSTS700024/);
    now -= 61_000;
  });

  it('is refused with a token that someone else signed', async () => {
    const other = await start({ dataDir: mkdtempSync(join(tmpdir(), 'entra-other-')) });
    await other.control.writeFederatedToken(file, { subject });
    await other.close();
    await expect(withToken(file).getToken(vault)).rejects.toThrow(/AADSTS700211/);
  });
});

describe('the Azure CLI', () => {
  it('finds the cloud and an authority that needs no instance discovery', async () => {
    const { origin } = azure.endpoints;
    const cloud = (await azure.call('/metadata/endpoints?api-version=2015-01-01')).json();
    expect(cloud).toMatchObject({
      galleryEndpoint: origin,
      graphEndpoint: origin,
      authentication: { loginEndpoint: `${origin}/adfs`, audiences: ['https://management.azure.com/'] },
    });
    const authority = (await azure.call('/adfs/.well-known/openid-configuration')).json();
    expect(authority).toMatchObject({
      token_endpoint: `${origin}/adfs/oauth2/token`,
      issuer: `${origin}/adfs`,
    });
    const { clientId, clientSecret } = application('default');
    const answer = await azure.call('/adfs/oauth2/token', {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: clientId,
        client_secret: clientSecret,
        scope: 'https://management.azure.com//.default',
      }).toString(),
    });
    const { access_token: token, expires_in: seconds } = answer.json() as Record<string, unknown>;
    expect(seconds).toBe(3599);
    const subscriptions = await azure.call('/subscriptions?api-version=2022-12-01', {
      headers: { authorization: `Bearer ${String(token)}` },
    });
    expect(subscriptions.json()).toMatchObject({ value: [{ subscriptionId: azure.subscriptionId }] });
  });
});

describe('terraform', () => {
  it('finds one cloud, with an authority at the origin and every suffix that it asks for', async () => {
    const { origin } = azure.endpoints;
    const cloud = (await azure.call('/metadata/endpoints?api-version=2022-09-01')).json();
    expect(cloud).toMatchObject({
      name: 'AzureLocal',
      resourceManager: origin,
      microsoftGraphResourceId: 'https://graph.microsoft.com/',
      authentication: { loginEndpoint: origin, identityProvider: 'AAD', tenant: azure.tenantId },
    });
    const { suffixes } = cloud as { suffixes: Record<string, string> };
    const wanted = ['keyVaultDns', 'storage', 'mhsmDns', 'sqlServerHostname', 'mysqlServerEndpoint'];
    const more = [
      'postgresqlServerEndpoint',
      'mariadbServerEndpoint',
      'synapseAnalytics',
      'attestationEndpoint',
    ];
    const rest = ['azureFrontDoorEndpointSuffix', 'storageSyncEndpointSuffix', 'acrLoginServer'];
    for (const name of [...wanted, ...more, ...rest]) expect(suffixes[name]).toMatch(/localhost$/);
  });

  it('finds a list of clouds with the versions between', async () => {
    const clouds = (await azure.call('/metadata/endpoints?api-version=2019-05-01')).json();
    expect(clouds).toMatchObject([
      { name: 'AzureLocal', authentication: { loginEndpoint: azure.endpoints.origin } },
    ]);
  });
});
