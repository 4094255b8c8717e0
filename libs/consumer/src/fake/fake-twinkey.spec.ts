import { createEmptyPipeline, createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { describe, expect, it, jest } from '@jest/globals';
import { fakeTwinkey } from './index.js';

const URL_OF = 'https://speech-weu.example/';

describe('a fake', () => {
  it('has several accounts, each with a key of its own', async () => {
    const twinkey = await fakeTwinkey({ accounts: { 'speech-weu': 'one', 'language-weu': 'two' } });
    await twinkey.switchTo('speech-weu', 'three');
    expect(
      twinkey.accounts.map(({ name, generation, credential }) => [name, generation, credential.key]),
    ).toEqual([
      ['speech-weu', 2, 'three'],
      ['language-weu', 1, 'two'],
    ]);
  });

  it('may begin without a key, and get its first one later', async () => {
    const twinkey = await fakeTwinkey({ accounts: { 'speech-weu': null } });
    const account = twinkey.account('speech-weu');
    await expect(account.apiKey()).rejects.toThrow(/no key yet/);
    await twinkey.switchTo('speech-weu', 'one');
    await account.ready;
    expect(await account.apiKey()).toBe('one');
  });

  it('sends what is let in to the fetch of the test, and nothing anywhere else', async () => {
    const sent: (string | null)[] = [];
    const twinkey = await fakeTwinkey({
      accounts: { 'speech-weu': 'one' },
      fetch: (_, init) => {
        sent.push(new Headers(init?.headers).get('Ocp-Apim-Subscription-Key'));
        return Promise.resolve(new Response('spoken', { status: 202 }));
      },
    });
    const answer = await twinkey.account('speech-weu').fetch(URL_OF);
    expect([answer.status, await answer.text(), sent]).toEqual([202, 'spoken', ['one']]);
  });

  it('refuses an expired key in pipelines too, before the transport of the client', async () => {
    const twinkey = await fakeTwinkey({ accounts: { 'speech-weu': 'one' } });
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(twinkey.account('speech-weu').policy, { afterPhase: 'Sign' });
    let arrived = 0;
    const send = () =>
      pipeline.sendRequest(
        {
          sendRequest: (request) => {
            arrived += 1;
            return Promise.resolve({ request, status: 200, headers: createHttpHeaders() });
          },
        },
        createPipelineRequest({ url: URL_OF }),
      );
    twinkey.expire('speech-weu');
    const refused = send();
    await twinkey.pass(1);
    expect([(await refused).status, arrived]).toEqual([401, 0]);
    await twinkey.switchTo('speech-weu', 'two');
    expect([(await send()).status, arrived]).toEqual([200, 1]);
  });

  it('needs no real time, whoever has taken the timers away', async () => {
    jest.useFakeTimers();
    try {
      const twinkey = await fakeTwinkey({ accounts: { 'speech-weu': 'one' } });
      await twinkey.switchTo('speech-weu', 'two');
      await twinkey.lapse();
      await twinkey.switchTo('speech-weu', 'three');
      await twinkey.resume();
      expect(twinkey.account('speech-weu').generation).toBe(3);
      await twinkey.close();
    } finally {
      jest.useRealTimers();
    }
  });

  it('keeps its older key for as long as the application refuses the newer', async () => {
    const twinkey = await fakeTwinkey({
      accounts: { 'speech-weu': 'one' },
      beforeSwitch: ({ refuse }) => {
        refuse('a call is being recorded');
      },
    });
    await twinkey.switchTo('speech-weu', 'two');
    expect(await twinkey.account('speech-weu').apiKey()).toBe('one');
    expect(twinkey.refusal('speech-weu')).toBe('a call is being recorded');
    expect(twinkey.acknowledged('speech-weu')).toEqual({ generation: 1 });
  });

  it('lets one account switch while the application holds on to the key of another', async () => {
    const twinkey = await fakeTwinkey({
      accounts: { 'speech-weu': 'one', 'language-weu': 'one' },
      beforeSwitch: ({ name }) =>
        name === 'speech-weu' ? new Promise<void>(() => undefined) : Promise.resolve(),
    });
    await twinkey.switchTo('speech-weu', 'two');
    await twinkey.switchTo('language-weu', 'two');
    expect(twinkey.accounts.map(({ credential }) => credential.key)).toEqual(['one', 'two']);
    await twinkey.close();
  });

  it('says what is wrong with its options and names', async () => {
    await expect(fakeTwinkey({ accounts: {} })).rejects.toThrow(/accounts: must name at least one/);
    const twinkey = await fakeTwinkey({ accounts: { 'speech-weu': 'one' } });
    expect(() => {
      twinkey.expire('speech');
    }).toThrow(/"speech" is not one of its accounts/);
  });
});
