import { CognitiveServicesManagementClient } from '@azure/arm-cognitiveservices';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { all, contract } from './contract.js';
import type { Identity, Target } from './target.js';
import { describedVersions, trafficFolder } from './traffic.js';

const needs = [
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_SUBSCRIPTION_ID',
  'AZURE_RESOURCE_GROUP',
  'AZURE_AI_ACCOUNT',
] as const;
const scope = 'https://management.azure.com/.default';
const keyShape = /^([0-9a-f]{32}|[0-9A-Za-z]{84,88})$/;

function managerOf(target: Target, who: Identity): CognitiveServicesManagementClient {
  return new CognitiveServicesManagementClient(target.credential(who), target.subscriptionId, {
    ...target.http('resource-manager'),
    endpoint: target.resourceManager,
    credentialScopes: scope,
    retryOptions: { maxRetries: 0 },
    ...(trafficFolder() === undefined ? {} : { apiVersion: describedVersions['resource-manager'] }),
  });
}

contract('Resource Manager', needs, (target) => {
  let manager: CognitiveServicesManagementClient;
  const account = () => [target().resourceGroup, target().account] as const;

  beforeAll(() => {
    manager = managerOf(target(), target().owner);
  });

  /** What the SDK cannot be made to send. */
  const raw = async (path: string, method = 'GET', body?: unknown, token?: string) => {
    const bearer = token ?? (await target().credential(target().owner).getToken(scope))?.token ?? '';
    return await target().call(`${target().resourceManager}${path}`, {
      method,
      headers: bearer === '' ? {} : { authorization: `Bearer ${bearer}` },
      body,
    });
  };
  const path = (rest: string) =>
    `/subscriptions/${target().subscriptionId}/resourceGroups/${target().resourceGroup}` +
    `/providers/Microsoft.CognitiveServices/accounts/${target().account}${rest}?api-version=2023-05-01`;

  describe('the accounts', () => {
    it('are listed over all pages: of the subscription, and of a group in any spelling', async () => {
      const listed = await all(manager.accounts.list());
      const ofGroup = await all(manager.accounts.listByResourceGroup(target().resourceGroup.toUpperCase()));
      const names = (accounts: typeof listed) => accounts.map(({ name }) => name);
      expect(names(listed)).toContain(target().account);
      expect(names(ofGroup)).toContain(target().account);
      expect(names(listed)).toEqual(expect.arrayContaining(names(ofGroup)));
      expect(new Set(names(listed)).size).toBe(listed.length);
    });

    it('show kind, size, place, state and endpoint, and no key', async () => {
      const shown = await manager.accounts.get(...account());
      const id = `/subscriptions/${target().subscriptionId}/resourceGroups/${target().resourceGroup}/providers/Microsoft.CognitiveServices/accounts/${target().account}`;
      expect(shown).toMatchObject({
        name: target().account,
        type: 'Microsoft.CognitiveServices/accounts',
        kind: expect.stringMatching(/./),
        location: expect.stringMatching(/^[a-z0-9]+$/),
        sku: { name: expect.stringMatching(/./) },
        properties: { provisioningState: 'Succeeded', endpoint: expect.stringMatching(/^https:.*\/$/) },
      });
      expect(shown.id?.toLowerCase()).toBe(id.toLowerCase());
      const { key1 = '', key2 = '' } = await manager.accounts.listKeys(...account());
      expect(JSON.stringify(shown)).not.toContain(key1);
      expect(JSON.stringify(shown)).not.toContain(key2);
    });
  });

  describe('the keys', () => {
    it('are two, and different', async () => {
      const { key1 = '', key2 = '' } = await manager.accounts.listKeys(...account());
      expect(key1).toMatch(keyShape);
      expect(key2).toMatch(keyShape);
      expect(key1).not.toBe(key2);
    });

    it.each(['Key1', 'Key2'] as const)('are regenerated one by one: %s', async (slot) => {
      const before = await manager.accounts.listKeys(...account());
      const after = await manager.accounts.regenerateKey(...account(), slot);
      const [changed, kept] = slot === 'Key1' ? (['key1', 'key2'] as const) : (['key2', 'key1'] as const);
      expect(after[changed]).toMatch(keyShape);
      expect(after[changed]).not.toBe(before[changed]);
      expect(after[kept]).toBe(before[kept]);
      expect(await manager.accounts.listKeys(...account())).toMatchObject(after);
    });

    it('are not regenerated under another name', async () => {
      const before = await manager.accounts.listKeys(...account());
      const answer = await raw(path('/regenerateKey'), 'POST', { keyName: 'Key3' });
      expect(answer.status).toBe(400);
      expect(answer.json()).toMatchObject({
        error: { code: expect.stringMatching(/./), message: expect.stringMatching(/./) },
      });
      expect(await manager.accounts.listKeys(...account())).toEqual(before);
    });

    it('are listed and regenerated out of the bucket for writes', async () => {
      const header = 'x-ms-ratelimit-remaining-subscription-writes';
      const levels: number[] = [];
      const onResponse = ({ headers }: { headers: { get(name: string): string | undefined } }) => {
        levels.push(Number(headers.get(header)));
      };
      await manager.accounts.listKeys(...account(), { onResponse });
      await manager.accounts.regenerateKey(...account(), 'Key2', { onResponse });
      expect(levels).toHaveLength(2);
      for (const level of levels) expect(level).toBeGreaterThan(0);
    });

    it('are reads elsewhere: a look at the account costs of the bucket for reads', async () => {
      let level = Number.NaN;
      await manager.accounts.get(...account(), {
        onResponse: ({ headers }) => {
          level = Number(headers.get('x-ms-ratelimit-remaining-subscription-reads'));
        },
      });
      expect(level).toBeGreaterThan(0);
    });
  });

  describe('what is not there', () => {
    it('is told apart: account, group, subscription', async () => {
      const missing = (code: string) => ({ statusCode: 404, code });
      await expect(manager.accounts.get(target().resourceGroup, 'no-such-account')).rejects.toMatchObject(
        missing('ResourceNotFound'),
      );
      await expect(manager.accounts.get('no-such-group', target().account)).rejects.toMatchObject(
        missing('ResourceGroupNotFound'),
      );
      await expect(
        manager.accounts.regenerateKey(target().resourceGroup, 'no-such-account', 'Key1'),
      ).rejects.toMatchObject(missing('ResourceNotFound'));
      const elsewhere = await raw(
        '/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups?api-version=2021-04-01',
      );
      expect(elsewhere.status).toBe(404);
      expect(elsewhere.json()).toMatchObject({ error: { code: 'SubscriptionNotFound' } });
    });
  });

  describe('a request', () => {
    it('names the version of the interface', async () => {
      const answer = await raw(path('').replace(/\?.*/, ''));
      expect(answer.status).toBe(400);
      expect(answer.json()).toMatchObject({ error: { code: 'MissingApiVersionParameter' } });
    });

    it('carries a token for Resource Manager, or is told where to get one', async () => {
      const without = await target().call(`${target().resourceManager}${path('')}`);
      expect(without.status).toBe(401);
      expect(without.json()).toMatchObject({ error: { code: 'AuthenticationFailed' } });
      expect(without.headers['www-authenticate']).toContain('authorization_uri="');
      const nonsense = await raw(path(''), 'GET', undefined, 'no.such.token');
      expect(nonsense.status).toBe(401);
      expect(nonsense.json()).toMatchObject({ error: { code: 'InvalidAuthenticationToken' } });
      const elsewhere = await target()
        .credential(target().owner)
        .getToken('https://vault.azure.net/.default');
      const wrong = await raw(path(''), 'GET', undefined, elsewhere?.token ?? '');
      expect(wrong.status).toBe(401);
      expect(wrong.json()).toMatchObject({ error: { code: 'InvalidAuthenticationTokenAudience' } });
    });

    it('is answered with an id by which it can be found again', async () => {
      const answer = await raw(path(''));
      expect(answer.headers['x-ms-request-id']).toMatch(/./);
      expect(answer.headers['x-ms-correlation-request-id']).toMatch(/./);
    });
  });
});

contract(
  'Resource Manager for an application without a role',
  [...needs, 'AZURE_POWERLESS_CLIENT_ID', 'AZURE_POWERLESS_CLIENT_SECRET'],
  (target) => {
    it('refuses with 403, naming the action and the scope', async () => {
      const { accounts } = managerOf(target(), target().powerless);
      const account = [target().resourceGroup, target().account] as const;
      const refused = (verb: string) => ({
        statusCode: 403,
        code: 'AuthorizationFailed',
        message: expect.stringMatching(
          new RegExp(`Microsoft\\.CognitiveServices/accounts/${verb}.*${target().account}`, 'is'),
        ),
      });
      await expect(accounts.get(...account)).rejects.toMatchObject(refused('read'));
      await expect(accounts.listKeys(...account)).rejects.toMatchObject(refused('listKeys/action'));
      await expect(accounts.regenerateKey(...account, 'Key1')).rejects.toMatchObject(
        refused('regenerateKey/action'),
      );
    });
  },
);
