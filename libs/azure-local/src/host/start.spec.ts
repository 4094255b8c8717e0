import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientSecretCredential } from '@azure/identity';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal, type StartOptions } from './start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

const running: AzureLocal[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((azure) => azure.close()));
});

const newFolder = () => mkdtempSync(join(tmpdir(), 'azure-'));
async function started(options: StartOptions): Promise<AzureLocal> {
  const azure = await start(options);
  running.push(azure);
  return azure;
}
async function stopped(azure: AzureLocal): Promise<void> {
  running.splice(running.indexOf(azure), 1);
  await azure.close();
}
const tokenOf = async (azure: AzureLocal, scope: string, name = 'default') => {
  const found = azure.applications.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no application ${name}`);
  const credential = new ClientSecretCredential(found.tenantId, found.clientId, found.clientSecret, {
    authorityHost: azure.endpoints.origin,
    disableInstanceDiscovery: true,
    tlsOptions: { ca: azure.ca },
  });
  return (await credential.getToken(scope)).token;
};
const keysOf = async (azure: AzureLocal, token: string) => {
  const path = `/subscriptions/${azure.subscriptionId}/resourceGroups/rg-ai/providers/Microsoft.CognitiveServices/accounts/aa`;
  const headers = { authorization: `Bearer ${token}` };
  return (
    await azure.call(`${path}/listKeys?api-version=2023-05-01`, { method: 'POST', headers })
  ).json() as {
    key1: string;
  };
};
const fleet = [{ name: 'aa' }];

describe('an emulator that is started again in its folder', () => {
  it('is the same Azure: authority, identities, ports, keys, secrets, ledger, and tokens out there stay good', async () => {
    const dataDir = newFolder();
    const before = await started({ dataDir, fleet });
    const token = await tokenOf(before, 'https://management.azure.com/.default');
    const keys = await keysOf(before, token);
    const vaultToken = await tokenOf(before, 'https://vault.azure.net/.default');
    const secret = `${before.endpoints.vaults['local'] ?? ''}/secrets/x?api-version=7.5`;
    const headers = { authorization: `Bearer ${vaultToken}` };
    await before.call(secret, { method: 'PUT', headers, body: { value: 'one' } });
    await before.call('/aa/x', { headers: { 'api-key': keys.key1 } });
    await stopped(before);

    const after = await started({ dataDir, fleet });
    expect(after.environment()).toEqual(before.environment());
    expect(after.ca).toBe(before.ca);
    expect(await keysOf(after, token)).toEqual(keys);
    expect((await after.call(secret, { headers })).json()).toMatchObject({ value: 'one' });
    expect(after.control.ledger.entries()).toMatchObject([
      { account: 'aa', slot: 'key1', outcome: 'accepted', count: 1 },
    ]);
  });

  it('takes another port when its own was taken meanwhile, and says so', async () => {
    const dataDir = newFolder();
    const before = await started({ dataDir });
    const port = Number(new URL(before.endpoints.origin).port);
    await stopped(before);
    const squatter = createServer().listen(port, '127.0.0.1');
    const warnings: string[] = [];
    const after = await started({
      dataDir,
      log: { info: () => undefined, warn: (line) => warnings.push(line) },
    });
    squatter.close();
    expect(after.endpoints.origin).not.toBe(before.endpoints.origin);
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`Port ${port} of the origin is taken`))]);
  });
});

describe('a port that was asked for and is taken', () => {
  it('is an error that names it, and leaves the folder free', async () => {
    const dataDir = newFolder();
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => squatter.once('listening', listening));
    const { port } = squatter.address() as { port: number };
    await expect(start({ dataDir, ports: { origin: port } })).rejects.toThrow(
      new RegExp(`Port ${port} for the origin`),
    );
    squatter.close();
    await started({ dataDir });
  });
});

describe('a folder that is in use', () => {
  it('is refused to a second emulator', async () => {
    const dataDir = newFolder();
    await started({ dataDir });
    await expect(start({ dataDir })).rejects.toThrow(/in use by process/);
  });
});
