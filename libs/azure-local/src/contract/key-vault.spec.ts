import { SecretClient, type SecretClientOptions } from '@azure/keyvault-secrets';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { all, contract, uniqueName } from './contract.js';
import type { Identity, Target } from './target.js';
import { describedVersions, trafficFolder } from './traffic.js';

const needs = ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_KEY_VAULT_URL'] as const;

async function vaultOf(target: Target, who: Identity): Promise<SecretClient> {
  const options: SecretClientOptions = {
    ...target.http('key-vault'),
    retryOptions: { maxRetries: 0 },
    // A loopback address is no *.vault.azure.net; for Azure the check stays on.
    disableChallengeResourceVerification: target.kind === 'embedded',
    ...(trafficFolder() === undefined ? {} : { serviceVersion: describedVersions['key-vault'] }),
  };
  const client = new SecretClient(target.vaultUrl, target.credential(who), options);
  // Concurrent first writes of a fresh client lose their bodies; a first read settles the challenge.
  await client
    .listPropertiesOfSecrets()
    .byPage({ maxPageSize: 1 })
    .next()
    .catch(() => undefined);
  return client;
}

contract('Key Vault', needs, (target) => {
  let vault: SecretClient;
  const names: string[] = [];
  const named = (what: string): string => {
    const name = uniqueName(what);
    names.push(name);
    return name;
  };

  beforeAll(async () => {
    vault = await vaultOf(target(), target().owner);
  });
  afterEach(async () => {
    for (const name of names.splice(0)) {
      await vault
        .beginDeleteSecret(name)
        .then((poller) => poller.pollUntilDone())
        .catch(() => undefined);
      await vault.purgeDeletedSecret(name).catch(() => undefined);
    }
  });

  const deleted = async (name: string) => {
    await (await vault.beginDeleteSecret(name, { intervalInMs: 50 })).pollUntilDone();
  };

  describe('a secret', () => {
    it('is read as it was written, the latest or by its version', async () => {
      const name = named('value');
      const first = await vault.setSecret(name, 'one', {
        contentType: 'text/plain',
        tags: { generation: '1' },
      });
      const second = await vault.setSecret(name, 'two ä €', { tags: { generation: '2' } });
      expect(await vault.getSecret(name)).toMatchObject({
        name,
        value: 'two ä €',
        properties: { version: second.properties.version, tags: { generation: '2' }, enabled: true },
      });
      expect(await vault.getSecret(name, { version: first.properties.version ?? '' })).toMatchObject({
        value: 'one',
        properties: { contentType: 'text/plain', tags: { generation: '1' } },
      });
      expect(first.properties.version).toMatch(/^[0-9a-f]{32}$/);
      expect(first.properties.id).toBe(
        `${target().vaultUrl}/secrets/${name}/${first.properties.version ?? ''}`,
      );
    });

    it('is called the same in capitals', async () => {
      const name = named('case');
      await vault.setSecret(name, 'x');
      expect((await vault.getSecret(name.toUpperCase())).value).toBe('x');
    });

    it('is created and updated in whole seconds', async () => {
      const { properties } = await vault.setSecret(named('times'), 'x');
      expect((properties.createdOn?.getTime() ?? 1) % 1000).toBe(0);
      expect(properties.updatedOn).toEqual(properties.createdOn);
      expect(Math.abs((properties.createdOn?.getTime() ?? 0) - target().now())).toBeLessThan(60_000);
    });

    it('keeps expiry, start and tags that are changed later, and its value', async () => {
      const name = named('properties');
      const { properties } = await vault.setSecret(name, 'x', { tags: { team: 'a' } });
      // The SDK cannot send a time after 2038: it cuts seconds to 32 bits.
      const expiresOn = new Date('2031-05-06T07:08:09Z');
      const notBefore = new Date('2021-05-06T07:08:09Z');
      const changed = await vault.updateSecretProperties(name, properties.version ?? '', {
        expiresOn,
        notBefore,
        contentType: 'text/x',
        tags: { team: 'b', more: '' },
      });
      expect(changed).toMatchObject({ expiresOn, notBefore, contentType: 'text/x' });
      expect(await vault.getSecret(name)).toMatchObject({
        value: 'x',
        properties: { expiresOn, notBefore, tags: { team: 'b', more: '' }, version: properties.version },
      });
    });

    it('that is past its expiry is still read', async () => {
      const name = named('expired');
      await vault.setSecret(name, 'x', { expiresOn: new Date('2021-01-01T00:00:00Z') });
      expect((await vault.getSecret(name)).value).toBe('x');
    });

    it('that is disabled is not read until it is enabled', async () => {
      const name = named('disabled');
      const { properties } = await vault.setSecret(name, 'x');
      const version = properties.version ?? '';
      await vault.updateSecretProperties(name, version, { enabled: false });
      await expect(vault.getSecret(name)).rejects.toMatchObject({
        statusCode: 403,
        code: 'Forbidden',
        details: { error: { innerError: { code: 'SecretDisabled' } } },
      });
      expect(await all(vault.listPropertiesOfSecretVersions(name))).toMatchObject([{ enabled: false }]);
      await vault.updateSecretProperties(name, version, { enabled: true });
      expect((await vault.getSecret(name)).value).toBe('x');
    });
  });

  describe('a secret that is not there', () => {
    it('is refused with 404 in the words of Key Vault', async () => {
      const name = named('missing');
      const missing = { statusCode: 404, code: 'SecretNotFound' };
      await expect(vault.getSecret(name)).rejects.toMatchObject(missing);
      await expect(vault.beginDeleteSecret(name)).rejects.toMatchObject(missing);
      await expect(vault.getDeletedSecret(name)).rejects.toMatchObject(missing);
      await expect(vault.purgeDeletedSecret(name)).rejects.toMatchObject(missing);
      await vault.setSecret(name, 'x');
      await expect(vault.getSecret(name, { version: '0'.repeat(32) })).rejects.toMatchObject(missing);
    });

    it('cannot be made under a name with other characters', async () => {
      await expect(vault.setSecret('under_score', 'x')).rejects.toMatchObject({
        statusCode: 400,
        code: 'BadParameter',
      });
    });
  });

  describe('a deletion', () => {
    it('hides the secret, keeps its name, and is taken back with all versions', async () => {
      const name = named('recovered');
      await vault.setSecret(name, 'one');
      await vault.setSecret(name, 'two');
      await deleted(name);
      await expect(vault.getSecret(name)).rejects.toMatchObject({ statusCode: 404 });
      await expect(vault.setSecret(name, 'three')).rejects.toMatchObject({
        statusCode: 409,
        code: 'Conflict',
        details: { error: { innerError: { code: 'ObjectIsDeletedButRecoverable' } } },
      });
      const gone = await vault.getDeletedSecret(name);
      expect(gone.recoveryId).toBe(`${target().vaultUrl}/deletedsecrets/${name}`);
      expect(gone.scheduledPurgeDate?.getTime()).toBeGreaterThan(gone.deletedOn?.getTime() ?? Infinity);
      expect((await all(vault.listDeletedSecrets())).map((one) => one.name)).toContain(name);
      await (await vault.beginRecoverDeletedSecret(name, { intervalInMs: 50 })).pollUntilDone();
      expect((await vault.getSecret(name)).value).toBe('two');
      expect(await all(vault.listPropertiesOfSecretVersions(name))).toHaveLength(2);
    });

    it('is final once it is purged, and the name is free again', async () => {
      const name = named('purged');
      await vault.setSecret(name, 'one');
      await deleted(name);
      await vault.purgeDeletedSecret(name);
      await expect(vault.getDeletedSecret(name)).rejects.toMatchObject({ statusCode: 404 });
      // Azure lets go of the name a little later.
      await expect(vault.beginRecoverDeletedSecret(name)).rejects.toMatchObject({ statusCode: 404 });
    });
  });

  describe('a list', () => {
    it('comes in pages of the size asked for, without values, unversioned for secrets', async () => {
      const made = [named('list'), named('list'), named('list')];
      for (const name of made) await vault.setSecret(name, 'x', { tags: { name } });
      const pages: string[][] = [];
      for await (const page of vault.listPropertiesOfSecrets().byPage({ maxPageSize: 2 })) {
        expect(page.length).toBeLessThanOrEqual(2);
        pages.push(page.map(({ name, id }) => (id?.endsWith(`/secrets/${name}`) === true ? name : '')));
      }
      expect(pages.length).toBeGreaterThanOrEqual(2);
      expect(pages.flat()).toEqual(expect.arrayContaining(made));
      expect(pages.flat()).not.toContain('');
    });

    it('of versions has each of them once', async () => {
      const name = named('versions');
      const made = new Set<string | undefined>();
      for (const value of ['a', 'b', 'c', 'd', 'e']) {
        made.add((await vault.setSecret(name, value)).properties.version);
      }
      const listed: (string | undefined)[] = [];
      for await (const page of vault.listPropertiesOfSecretVersions(name).byPage({ maxPageSize: 2 })) {
        listed.push(...page.map(({ version }) => version));
      }
      expect(listed).toHaveLength(5);
      expect(new Set(listed)).toEqual(made);
    });

    it('of versions is empty for a secret that is not there', async () => {
      expect(await all(vault.listPropertiesOfSecretVersions(uniqueName('nothing')))).toEqual([]);
    });

    it('has no page of more than 25', async () => {
      await expect(vault.listPropertiesOfSecrets().byPage({ maxPageSize: 26 }).next()).rejects.toMatchObject({
        statusCode: 400,
        code: 'BadParameter',
      });
    });
  });

  describe('a request without a token', () => {
    it('is answered with the challenge that says where tokens come from', async () => {
      const answer = await target().call(`${target().vaultUrl}/secrets/x/?api%2Dversion=7.4`);
      expect(answer.status).toBe(401);
      const { tenantId } = target().owner;
      expect(answer.headers['www-authenticate']).toBe(
        `Bearer authorization="${target().authority}/${tenantId}", resource="https://vault.azure.net"`,
      );
      expect(answer.json()).toMatchObject({
        error: { code: 'Unauthorized', message: expect.stringMatching(/^AKV10000/) },
      });
    });

    it('or with one for somebody else, is refused', async () => {
      const { token } = (await target()
        .credential(target().owner)
        .getToken('https://management.azure.com/.default')) ?? { token: '' };
      const answer = await target().call(`${target().vaultUrl}/secrets?api-version=7.4`, {
        headers: { authorization: `Bearer ${token}` },
      });
      expect(answer.status).toBe(401);
      expect(answer.json()).toMatchObject({ error: { code: 'Unauthorized' } });
    });
  });
});

contract(
  'Key Vault for an application without a role',
  [...needs, 'AZURE_POWERLESS_CLIENT_ID', 'AZURE_POWERLESS_CLIENT_SECRET'],
  (target) => {
    it('refuses everything with 403 and says what is missing', async () => {
      const vault = await vaultOf(target(), target().powerless);
      const refused = {
        statusCode: 403,
        code: 'Forbidden',
        details: { error: { innerError: { code: 'ForbiddenByRbac' } } },
      };
      await expect(vault.getSecret('any')).rejects.toMatchObject(refused);
      await expect(vault.setSecret('any', 'x')).rejects.toMatchObject(refused);
      await expect(vault.beginDeleteSecret('any')).rejects.toMatchObject(refused);
      await expect(all(vault.listPropertiesOfSecrets())).rejects.toMatchObject({
        statusCode: 403,
        code: 'Forbidden',
      });
    });
  },
);
