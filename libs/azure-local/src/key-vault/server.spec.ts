import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClientSecretCredential } from '@azure/identity';
import { createDefaultHttpClient, createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { SecretClient, type SecretProperties } from '@azure/keyvault-secrets';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';
import { claimsChallenge } from './errors.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
let owner: SecretClient;
let reader: SecretClient;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'vault-')),
    limits: { vault: { creates: 300, others: 10_000 } },
    applications: [
      {
        name: 'reader',
        assignments: [
          {
            role: 'Key Vault Secrets User',
            scope: 'resourceGroups/rg-vaults/providers/Microsoft.KeyVault/vaults/local/secrets/shared',
          },
        ],
      },
    ],
  });
  [owner, reader] = [await client('default'), await client('reader')];
});
afterAll(() => azure.close());
beforeEach(() => {
  azure.control.faults.remove();
});

const url = () => azure.endpoints.vaults['local'] ?? '';

async function client(name: string, maxRetries = 0, httpClient?: HttpClient): Promise<SecretClient> {
  const { tenantId, clientId, clientSecret } = azure.applications.find((one) => one.name === name) ?? {
    tenantId: '',
    clientId: '',
    clientSecret: '',
  };
  const tlsOptions = { ca: azure.ca };
  const made = new SecretClient(
    url(),
    new ClientSecretCredential(tenantId, clientId, clientSecret, {
      authorityHost: azure.endpoints.origin,
      disableInstanceDiscovery: true,
      tlsOptions,
    }),
    {
      disableChallengeResourceVerification: true,
      tlsOptions,
      retryOptions: { maxRetries },
      ...(httpClient === undefined ? {} : { httpClient }),
    },
  );
  // Concurrent first writes of a fresh client lose their bodies; a first read settles the challenge.
  await made
    .listPropertiesOfSecrets()
    .byPage({ maxPageSize: 1 })
    .next()
    .catch(() => undefined);
  return made;
}

async function all(pages: AsyncIterable<SecretProperties>): Promise<SecretProperties[]> {
  const found: SecretProperties[] = [];
  for await (const one of pages) found.push(one);
  return found;
}

describe('the first request of a client', () => {
  it('is answered with the challenge that tells where tokens come from', async () => {
    const answer = await azure.call(`${url()}/secrets/x/?api%2Dversion=7.5`);
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer authorization="${azure.endpoints.origin}/${azure.tenantId}", resource="https://vault.azure.net"`,
    );
    expect(answer.json()).toMatchObject({
      error: { code: 'Unauthorized', message: expect.stringMatching(/^AKV10000/) },
    });
  });
});

describe('a secret', () => {
  it('is set, read, described, listed and given new properties', async () => {
    const expiresOn = new Date('2031-05-06T07:08:09Z');
    const older = await owner.setSecret('language-key', 'one', {
      tags: { generation: '1' },
      contentType: 'text/plain',
    });
    await owner.setSecret('language-key', 'two', { tags: { generation: '2' }, expiresOn });
    expect(await owner.getSecret('language-key')).toMatchObject({ value: 'two', properties: { expiresOn } });
    const version = older.properties.version ?? '';
    expect(await owner.getSecret('language-key', { version })).toMatchObject({ value: 'one' });
    await owner.updateSecretProperties('language-key', version, {
      enabled: false,
      tags: { generation: '1', old: 'yes' },
    });
    await expect(owner.getSecret('language-key', { version })).rejects.toMatchObject({
      statusCode: 403,
      code: 'Forbidden',
    });
    const versions = await all(owner.listPropertiesOfSecretVersions('language-key'));
    expect(versions.map(({ enabled, tags }) => [enabled, tags])).toEqual(
      expect.arrayContaining([
        [false, { generation: '1', old: 'yes' }],
        [true, { generation: '2' }],
      ]),
    );
  });

  it('that is not there, or cannot be called so, is refused', async () => {
    await expect(owner.getSecret('nothing')).rejects.toMatchObject({
      statusCode: 404,
      code: 'SecretNotFound',
    });
    await expect(owner.setSecret('not_a_name', 'x')).rejects.toMatchObject({
      statusCode: 400,
      code: 'BadParameter',
    });
  });

  it('keeps its spelling, whichever way it is asked for', async () => {
    await owner.setSecret('Spelled', 'one');
    expect((await owner.getSecret('sPELLED')).properties.id).toContain('/secrets/Spelled/');
    expect((await owner.setSecret('SPELLED', 'two')).properties.id).toContain('/secrets/Spelled/');
  });

  it('is deleted, keeps its name, is recovered and purged', async () => {
    await owner.setSecret('short-lived', 'one');
    await (await owner.beginDeleteSecret('short-lived')).pollUntilDone();
    await expect(owner.setSecret('short-lived', 'two')).rejects.toMatchObject({
      statusCode: 409,
      code: 'Conflict',
    });
    expect((await owner.getDeletedSecret('short-lived')).recoveryId).toContain('/deletedsecrets/short-lived');
    await (await owner.beginRecoverDeletedSecret('short-lived')).pollUntilDone();
    expect((await owner.getSecret('short-lived')).value).toBe('one');
    await (await owner.beginDeleteSecret('short-lived')).pollUntilDone();
    const listed = [];
    for await (const one of owner.listDeletedSecrets()) listed.push(one.name);
    expect(listed).toEqual(['short-lived']);
    await owner.purgeDeletedSecret('short-lived');
    await expect(owner.getDeletedSecret('short-lived')).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('a backup', () => {
  it('brings a purged secret back with all its versions, and nothing that exists', async () => {
    const first = await owner.setSecret('saved', 'one', { tags: { n: '1' } });
    await owner.setSecret('saved', 'two');
    const backup = await owner.backupSecret('saved');
    if (backup === undefined) throw new Error('no backup');
    expect(Buffer.from(backup).toString('latin1')).not.toContain('saved');
    await expect(owner.restoreSecretBackup(backup)).rejects.toMatchObject({
      statusCode: 409,
      code: 'Conflict',
    });
    await (await owner.beginDeleteSecret('saved')).pollUntilDone();
    await expect(owner.restoreSecretBackup(backup)).rejects.toMatchObject({
      statusCode: 409,
      code: 'Conflict',
    });
    await owner.purgeDeletedSecret('saved');
    expect((await owner.restoreSecretBackup(backup)).name).toBe('saved');
    expect((await owner.getSecret('saved')).value).toBe('two');
    const { version = '' } = first.properties;
    expect(await owner.getSecret('saved', { version })).toMatchObject({
      value: 'one',
      properties: { tags: { n: '1' }, createdOn: first.properties.createdOn },
    });
  });

  it('that was changed on the way, or is none, is refused', async () => {
    await owner.setSecret('tampered', 'one');
    const backup = (await owner.backupSecret('tampered')) ?? new Uint8Array();
    backup[backup.length - 1] = (backup[backup.length - 1] ?? 0) ^ 1;
    const refused = { statusCode: 400, code: 'BadParameter' };
    await expect(owner.restoreSecretBackup(backup)).rejects.toMatchObject(refused);
    await expect(owner.restoreSecretBackup(new Uint8Array([1, 2, 3]))).rejects.toMatchObject(refused);
    await expect(owner.backupSecret('never-there')).rejects.toMatchObject({ statusCode: 404 });
    await expect(reader.backupSecret('shared')).rejects.toMatchObject({ statusCode: 403 });
  });
});

describe('a list longer than a page', () => {
  it('is read to its end', async () => {
    for (let n = 0; n < 5; n += 1) await owner.setSecret('many-versions', String(n));
    const sizes = [];
    for await (const page of owner
      .listPropertiesOfSecretVersions('many-versions')
      .byPage({ maxPageSize: 2 })) {
      sizes.push(page.length);
    }
    expect(sizes).toEqual([2, 2, 1]);
    expect(await all(owner.listPropertiesOfSecretVersions('many-versions'))).toHaveLength(5);
  });
});

describe('an application that may read one secret', () => {
  it('reads that one and is refused everything else with 403', async () => {
    await owner.setSecret('shared', 'one');
    await owner.setSecret('private', 'one');
    expect((await reader.getSecret('shared')).value).toBe('one');
    const refused = { statusCode: 403, code: 'Forbidden' };
    await expect(reader.getSecret('private')).rejects.toMatchObject(refused);
    await expect(reader.setSecret('shared', 'two')).rejects.toMatchObject(refused);
    await expect(all(reader.listPropertiesOfSecrets())).rejects.toMatchObject(refused);
  });
});

describe('two writes to one name at the same time', () => {
  it('end in a 409 for one of them, while other names go on', async () => {
    const outcome = async (name: string) =>
      await owner.setSecret(name, 'x').then(
        () => 200,
        (error: unknown) => (error as { statusCode: number }).statusCode,
      );
    // Whether two requests really meet is up to the machine: they are sent until two of them do.
    const outcomes = new Set<number>();
    for (let round = 0; round < 100 && !outcomes.has(409); round += 1) {
      const together = await Promise.all([...Array(6).keys()].map(() => outcome('contended')));
      together.forEach((one) => outcomes.add(one));
    }
    expect([...outcomes].sort()).toEqual([200, 409]);
    expect(await Promise.all(['p', 'q', 'r'].map(outcome))).toEqual([200, 200, 200]);
  });
});

describe('a challenge for other claims', () => {
  it('costs the client one more token, and the request succeeds', async () => {
    await owner.setSecret('claimed', 'one');
    let challenges = 0;
    const https = createDefaultHttpClient();
    const challenged = await client('default', 0, {
      sendRequest: async (request) => {
        if (challenges === 0 && request.url.includes('claimed')) {
          challenges += 1;
          const claims = Buffer.from('{"access_token":{"nbf":{"essential":true}}}').toString('base64');
          const { status, headers } = claimsChallenge('https://login/tenant', claims, 'request');
          return { request, status, headers: createHttpHeaders({ ...headers }), bodyAsText: '' };
        }
        return await https.sendRequest(request);
      },
    });
    const watched = { service: 'entra', operation: 'token', count: 'unlimited' } as const;
    const id = azure.control.faults.add({ ...watched, effect: { kind: 'delay', ms: 0 } });
    expect((await challenged.getSecret('claimed')).value).toBe('one');
    expect(challenges).toBe(1);
    expect(azure.control.faults.list().find((fault) => fault.id === id)?.struck).toBe(1);
  });
});

describe('a write whose answer is lost', () => {
  it('has happened, and happens again when the client retries', async () => {
    const retrying = await client('default', 3);
    azure.control.faults.add({
      service: 'key-vault',
      operation: 'setSecret',
      effect: { kind: 'drop-after-effect' },
    });
    await retrying.setSecret('doubled', 'x');
    expect(await all(owner.listPropertiesOfSecretVersions('doubled'))).toHaveLength(2);

    azure.control.faults.add({
      service: 'key-vault',
      operation: 'setSecret',
      effect: { kind: 'drop-after-effect' },
    });
    await expect(owner.setSecret('single', 'x')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await all(owner.listPropertiesOfSecretVersions('single'))).toHaveLength(1);
  });
});

describe('planted trouble', () => {
  it('throttles, breaks and serves stale reads in the words of Key Vault', async () => {
    const { faults } = azure.control;
    faults.add({ service: 'key-vault', effect: { kind: 'throttle', retryAfterSeconds: 7 } });
    expect((await azure.call(`${url()}/secrets/x?api-version=7.5`)).status).toBe(401); // a challenge meets no fault
    const throttled: unknown = await owner.getSecret('shared').catch((error: unknown) => error);
    expect(throttled).toMatchObject({ statusCode: 429, code: 'Throttled' });
    const { response } = throttled as { response: { headers: { get(name: string): string } } };
    expect(response.headers.get('retry-after')).toBe('7');
    faults.add({ service: 'key-vault', effect: { kind: 'status', status: 503 } });
    await expect(owner.getSecret('shared')).rejects.toMatchObject({ statusCode: 503 });
    await owner.setSecret('changing', 'one');
    await owner.setSecret('changing', 'two');
    faults.add({
      service: 'key-vault',
      operation: 'getSecret',
      target: 'changing',
      effect: { kind: 'stale' },
    });
    expect((await owner.getSecret('changing')).value).toBe('one');
    expect((await owner.getSecret('changing')).value).toBe('two');
  });
});
