import { describe, expect, it } from '@jest/globals';
import { type FakeTwinkey, fakeTwinkey } from './fake/index.js';

const ENDPOINT = 'https://westeurope.api.cognitive.microsoft.com/';

/** An account whose tokens are numbered. */
async function speech(): Promise<{ twinkey: FakeTwinkey; errors: Error[]; getToken: () => Promise<string> }> {
  const errors: Error[] = [];
  const twinkey = await fakeTwinkey({
    accounts: { 'speech-weu': 'first key' },
    listeners: { error: (error) => errors.push(error) },
  });
  const tokens = twinkey.account('speech-weu').tokens({ endpoint: ENDPOINT });
  return { twinkey, errors, getToken: () => tokens.getToken() };
}

describe('a token that a key buys', () => {
  it('is bought once for all who ask, and kept', async () => {
    const { getToken, twinkey } = await speech();
    expect(await Promise.all([getToken(), getToken(), getToken()])).toEqual(Array(3).fill('fake-token-1'));
    await twinkey.pass(7 * 60);
    expect(await getToken()).toBe('fake-token-1');
  });

  it('is renewed after about eight of its ten minutes', async () => {
    const { getToken, twinkey } = await speech();
    await getToken();
    await twinkey.pass(8.6 * 60);
    expect(await getToken()).toBe('fake-token-2');
  });

  it('is bought again after a switch', async () => {
    const { getToken, twinkey } = await speech();
    await getToken();
    await twinkey.switchTo('speech-weu', 'second key');
    expect(await getToken()).toBe('fake-token-2');
  });

  it('cannot be had from an endpoint that is no URL, which is told at once', async () => {
    const { twinkey } = await speech();
    expect(() => twinkey.account('speech-weu').tokens({ endpoint: 'westeurope' })).toThrow(
      /tokens\.endpoint: must be a URL/,
    );
  });

  it('is counted when it is handed out, and its purchase is no call with a key', async () => {
    const { getToken, twinkey } = await speech();
    await getToken();
    await getToken();
    expect(twinkey.account('speech-weu').used).toEqual({ key: 0, token: 2, entra: 0, bare: false });
  });
});

describe('an account that issues no tokens', () => {
  it('leaves the living token in use, is asked again with pauses, and told of', async () => {
    const { getToken, twinkey, errors } = await speech();
    await getToken();
    twinkey.refuse('speech-weu', 'exchange');
    await twinkey.switchTo('speech-weu', 'second key');
    expect([await getToken(), await getToken(), await getToken()]).toEqual(Array(3).fill('fake-token-1'));
    expect(errors).toMatchObject([{ code: 'token-not-issued', message: expect.stringContaining('503') }]);
    twinkey.accept('speech-weu', 'exchange');
    await twinkey.pass(1);
    expect(await getToken()).toBe('fake-token-2');
  });

  it('fails whoever asks when the last token is dead', async () => {
    const { getToken, twinkey } = await speech();
    await getToken();
    twinkey.refuse('speech-weu', 'exchange');
    await twinkey.pass(10 * 60);
    await expect(getToken()).rejects.toMatchObject({ name: 'TransientFault', code: 'token-not-issued' });
  });

  it('says nothing of the key that it refused', async () => {
    const { getToken, twinkey } = await speech();
    twinkey.expire('speech-weu');
    const refused = getToken();
    refused.catch(() => undefined);
    await twinkey.pass(1);
    await expect(refused).rejects.toThrow(/^speech-weu: https:.*issueToken answered 401$/);
  });

  it('is asked once more with the newer key when it refused the older', async () => {
    const { getToken, twinkey } = await speech();
    twinkey.expire('speech-weu');
    twinkey.publish('speech-weu', 'second key');
    const token = getToken();
    await twinkey.pass(1);
    expect(await token).toBe('fake-token-1');
    expect(twinkey.account('speech-weu').generation).toBe(2);
  });
});

describe('the acknowledgement of a switch', () => {
  const drainedAt = (twinkey: FakeTwinkey) => twinkey.acknowledged('speech-weu')?.drainedAt?.toISOString();

  it('names the moment at which the last token dies that the older key bought', async () => {
    const { getToken, twinkey } = await speech();
    await getToken();
    await twinkey.pass(120);
    await twinkey.switchTo('speech-weu', 'second key');
    expect(drainedAt(twinkey)).toBe('2026-01-01T00:10:00.000Z');
  });

  it('does so also when the token was bought two keys ago', async () => {
    const { getToken, twinkey } = await speech();
    await getToken();
    await twinkey.switchTo('speech-weu', 'second key');
    await twinkey.switchTo('speech-weu', 'third key');
    expect(drainedAt(twinkey)).toBe('2026-01-01T00:10:00.000Z');
  });

  it('names none when no tokens are used, or when they are dead', async () => {
    const { getToken, twinkey } = await speech();
    await twinkey.switchTo('speech-weu', 'second key');
    expect(twinkey.acknowledged('speech-weu')).toEqual({ generation: 2 });
    await getToken();
    await twinkey.pass(601);
    await twinkey.switchTo('speech-weu', 'third key');
    expect(twinkey.acknowledged('speech-weu')).toEqual({ generation: 3 });
  });
});
