import type { TokenCredential } from '@azure/core-auth';
import { createEmptyPipeline, createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { describe, expect, it } from '@jest/globals';
import { type FakeOptions, fakeTwinkey } from './fake/index.js';

const URL_OF = 'https://language-weu.example/text';

/** Notes what reaches the account, and lets it in. */
async function language(options: Partial<FakeOptions> = {}) {
  const shown: string[] = [];
  const errors: Error[] = [];
  const twinkey = await fakeTwinkey({
    accounts: { 'language-weu': 'first key' },
    fetch: (_, init) => {
      const headers = new Headers(init?.headers);
      shown.push([...headers].map(([name, value]) => `${name}: ${value}`).join(', '));
      return Promise.resolve(Response.json({}));
    },
    listeners: { error: (error) => errors.push(error) },
    ...options,
  });
  return { shown, errors, twinkey, account: twinkey.account('language-weu') };
}

const ENTRA = 'authorization: Bearer fake-entra';
const KEY = 'ocp-apim-subscription-key: first key';

describe('calls that prefer Entra', () => {
  it('show its token and no key, whatever the client had put there', async () => {
    const { shown, account } = await language();
    const { fetch } = account.entra();
    await fetch(URL_OF);
    await fetch(URL_OF, { headers: { 'api-key': 'x' } });
    expect(shown).toEqual([ENTRA, ENTRA]);
    expect(account.used).toEqual({ key: 0, token: 0, entra: 2, bare: false });
  });

  it('show the key when the account refuses the token, and remember that for a while', async () => {
    const { shown, errors, account, twinkey } = await language();
    twinkey.refuse('language-weu', 'entra');
    const { fetch } = account.entra({ rememberSeconds: 60 });
    expect((await fetch(URL_OF)).status).toBe(200);
    await fetch(URL_OF);
    expect(shown).toEqual([KEY, KEY]);
    expect(account.used).toMatchObject({ key: 2, entra: 1 });
    expect(errors).toMatchObject([{ code: 'entra-refused', message: expect.stringMatching(/403.*60 s/) }]);
    twinkey.accept('language-weu', 'entra');
    await twinkey.pass(61);
    await fetch(URL_OF);
    expect(shown.at(-1)).toBe(ENTRA);
  });

  it('remember nothing when the account refuses the key as well', async () => {
    const { errors, account, twinkey } = await language();
    twinkey.refuse('language-weu', 'entra');
    twinkey.refuse('language-weu', 'key');
    const { fetch } = account.entra();
    const call = fetch(URL_OF);
    await twinkey.pass(1);
    expect((await call).status).toBe(401);
    expect(errors).toEqual([]);
  });

  it('show the key when no token can be had, and do not ask for one with each call', async () => {
    const { shown, errors, account } = await language();
    let asked = 0;
    const credential: TokenCredential = {
      getToken: () => {
        asked += 1;
        return Promise.reject(new Error('no identity here'));
      },
    };
    const { fetch } = account.entra({ credential });
    await Promise.all([fetch(URL_OF), fetch(URL_OF)]);
    await fetch(URL_OF);
    expect({ shown, asked }).toEqual({ shown: [KEY, KEY, KEY], asked: 1 });
    expect(errors).toMatchObject([{ message: 'language-weu: no token of Entra: no identity here' }]);
  });

  it('ask for the scope of Azure AI services, once as long as the token lives', async () => {
    const { account, twinkey } = await language();
    const scopes: unknown[] = [];
    const credential: TokenCredential = {
      getToken: (scope) => {
        scopes.push(scope);
        const expiresOnTimestamp = Date.parse('2026-01-01T01:00:00Z') * scopes.length;
        return Promise.resolve({ token: 'a.b.c', expiresOnTimestamp });
      },
    };
    const { fetch } = account.entra({ credential });
    await fetch(URL_OF);
    await twinkey.pass(57 * 60);
    await fetch(URL_OF);
    expect(scopes).toEqual(['https://cognitiveservices.azure.com/.default']);
    await twinkey.pass(2 * 60);
    await fetch(URL_OF);
    expect(scopes).toHaveLength(2);
  });

  it('fall back to a newer key when the older is dead', async () => {
    const { shown, account, twinkey } = await language();
    twinkey.refuse('language-weu', 'entra');
    twinkey.expire('language-weu');
    twinkey.publish('language-weu', 'second key');
    const call = account.entra().fetch(URL_OF);
    await twinkey.pass(1);
    expect((await call).status).toBe(200);
    expect(shown).toEqual(['ocp-apim-subscription-key: second key']);
  });

  it('cannot repeat what was streamed, and show the key from then on', async () => {
    const { shown, account, twinkey } = await language();
    twinkey.refuse('language-weu', 'entra');
    const { fetch } = account.entra();
    const init = { method: 'POST', body: new Blob(['hello']).stream(), duplex: 'half' } as const;
    expect((await fetch(URL_OF, init)).status).toBe(403);
    await fetch(URL_OF);
    expect(shown).toEqual([KEY]);
  });

  it('are refused options that make no sense', async () => {
    const { account } = await language();
    expect(() => account.entra({ rememberSeconds: -1 })).toThrow(/entra\.rememberSeconds: must be/);
  });

  it('go through the pipeline of a client that was given no key', async () => {
    const { account, twinkey } = await language();
    const { credential, policy } = account.entra();
    const sent: unknown[] = [];
    const send = async () => {
      const pipeline = createEmptyPipeline();
      pipeline.addPolicy(policy, { afterPhase: 'Sign' });
      const request = createPipelineRequest({ url: URL_OF });
      request.headers.set('Ocp-Apim-Subscription-Key', credential.key);
      const transport = {
        sendRequest: (arrived: typeof request) => {
          sent.push(arrived.headers.toJSON());
          return Promise.resolve({ request: arrived, status: 200, headers: createHttpHeaders() });
        },
      };
      return (await pipeline.sendRequest(transport, request)).status;
    };
    expect(await send()).toBe(200);
    twinkey.refuse('language-weu', 'entra');
    expect(await send()).toBe(200);
    expect(sent).toEqual([
      { authorization: 'Bearer fake-entra' },
      { 'ocp-apim-subscription-key': 'first key' },
    ]);
  });
});
