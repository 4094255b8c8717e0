import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientSecretCredential, DefaultAzureCredential, WorkloadIdentityCredential } from '@azure/identity';
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
    const cloud = (await azure.call('/metadata/endpoints?api-version=2019-05-01')).json();
    expect(cloud).toMatchObject({ authentication: { loginEndpoint: `${origin}/adfs` } });
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
        resource: 'https://management.azure.com/',
      }).toString(),
    });
    const { access_token: token } = answer.json() as { access_token: string };
    const authorization = `Bearer ${token}`;
    const subscriptions = await azure.call('/subscriptions?api-version=2022-12-01', {
      headers: { authorization },
    });
    expect(subscriptions.json()).toMatchObject({ value: [{ subscriptionId: azure.subscriptionId }] });
  });
});
