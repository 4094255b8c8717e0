import { AzureKeyCredential, TextAnalyticsClient } from '@azure/ai-text-analytics';
import { CognitiveServicesManagementClient } from '@azure/arm-cognitiveservices';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { contract } from './contract.js';

const needs = [
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_SUBSCRIPTION_ID',
  'AZURE_RESOURCE_GROUP',
  'AZURE_AI_ACCOUNT',
] as const;
const languages = 'text/analytics/v3.1/languages';
const documents = { documents: [{ id: '1', text: 'Das ist ein Satz, und er ist nicht lang.' }] };

contract('The data plane of an account', needs, (target) => {
  let manager: CognitiveServicesManagementClient;
  let endpoint = '';
  const account = () => [target().resourceGroup, target().account] as const;

  beforeAll(async () => {
    manager = new CognitiveServicesManagementClient(
      target().credential(target().owner),
      target().subscriptionId,
      {
        ...target().http(),
        endpoint: target().resourceManager,
        credentialScopes: 'https://management.azure.com/.default',
      },
    );
    endpoint = (await manager.accounts.get(...account())).properties?.endpoint ?? '';
  });

  const keys = async () => {
    const { key1 = '', key2 = '' } = await manager.accounts.listKeys(...account());
    return { key1, key2 };
  };
  const ask = async (headers: Readonly<Record<string, string>>) =>
    await target().call(`${endpoint}${languages}`, { method: 'POST', headers, body: documents });
  const detect = async (client: TextAnalyticsClient) => {
    const [result] = await client.detectLanguage(['Das ist ein Satz, und er ist nicht lang.']);
    if (result === undefined || result.error !== undefined) throw new Error('no language was detected');
    return result.primaryLanguage.iso6391Name;
  };
  const withKey = (key: AzureKeyCredential) =>
    new TextAnalyticsClient(endpoint, key, { ...target().http(), retryOptions: { maxRetries: 0 } });

  describe('a call', () => {
    it('is answered with either key of the account', async () => {
      const { key1, key2 } = await keys();
      expect(await detect(withKey(new AzureKeyCredential(key1)))).toBe('de');
      expect(await detect(withKey(new AzureKeyCredential(key2)))).toBe('de');
    });

    it('is answered with the key in any spelling of its header', async () => {
      const { key1 } = await keys();
      expect((await ask({ 'OCP-APIM-SUBSCRIPTION-KEY': key1 })).status).toBe(200);
    });

    it('is answered with a token of Entra', async () => {
      const client = new TextAnalyticsClient(endpoint, target().credential(target().owner), {
        ...target().http(),
        retryOptions: { maxRetries: 0 },
      });
      expect(await detect(client)).toBe('de');
    });

    it('is refused with another key, in the words of the gateway', async () => {
      const answer = await ask({ 'ocp-apim-subscription-key': '0'.repeat(32) });
      expect(answer.status).toBe(401);
      expect(answer.json()).toMatchObject({
        error: {
          code: '401',
          message: expect.stringMatching(
            /^Access denied due to invalid subscription key or wrong API endpoint\./,
          ),
        },
      });
    });

    it('is refused without any proof, and with a token for somebody else', async () => {
      expect((await ask({})).status).toBe(401);
      const elsewhere = await target()
        .credential(target().owner)
        .getToken('https://management.azure.com/.default');
      expect((await ask({ authorization: `Bearer ${elsewhere?.token ?? ''}` })).status).toBe(401);
    });
  });

  describe('a regenerated key', () => {
    it.each(['Key1', 'Key2'] as const)('%s is refused, the new one and the other accepted', async (slot) => {
      const before = await keys();
      const [changed, kept] = slot === 'Key1' ? (['key1', 'key2'] as const) : (['key2', 'key1'] as const);
      const credential = new AzureKeyCredential(before[changed]);
      const client = withKey(credential);
      expect(await detect(client)).toBe('de');
      await manager.accounts.regenerateKey(...account(), slot);
      const after = await keys();
      await expect(detect(client)).rejects.toMatchObject({ statusCode: 401 });
      expect((await ask({ 'ocp-apim-subscription-key': before[kept] })).status).toBe(200);
      credential.update(after[changed]);
      expect(await detect(client)).toBe('de');
    });
  });
});

/** Only translation and speech sell tokens, so this is of the embedded Azure unless the account is of such a kind. */
contract('The exchange of keys for tokens', [...needs, 'AZURE_TRANSLATOR_ACCOUNT'], (target) => {
  it('sells a token of ten minutes that is as good as the key', async () => {
    const manager = new CognitiveServicesManagementClient(
      target().credential(target().owner),
      target().subscriptionId,
      {
        ...target().http(),
        endpoint: target().resourceManager,
        credentialScopes: 'https://management.azure.com/.default',
      },
    );
    const account = [target().resourceGroup, target().translator] as const;
    const { key1 = '' } = await manager.accounts.listKeys(...account);
    const endpoint = (await manager.accounts.get(...account)).properties?.endpoint ?? '';
    const exchange = async (key: string) =>
      await target().call(`${endpoint}sts/v1.0/issueToken`, {
        method: 'POST',
        headers: { 'ocp-apim-subscription-key': key },
      });
    const sold = await exchange(key1);
    expect(sold.status).toBe(200);
    expect(sold.headers['content-type']).toMatch(/^application\/jwt/);
    const claims = decodeJwt(sold.text);
    expect(claims).toMatchObject({ iss: 'urn:ms.cognitiveservices', aud: 'urn:ms.microsofttranslator' });
    expect((claims.exp ?? 0) * 1000 - target().now()).toBeLessThanOrEqual(600_000);
    const translated = await target().call(
      `${endpoint}translator/text/v3.0/translate?api-version=3.0&to=fr`,
      {
        method: 'POST',
        headers: { authorization: `Bearer ${sold.text}` },
        body: [{ Text: 'Hello' }],
      },
    );
    expect(translated.status).toBe(200);
    const refused = await exchange('0'.repeat(32));
    expect(refused.status).toBe(401);
    expect(refused.json()).toMatchObject({ error: { code: '401' } });
  });
});
