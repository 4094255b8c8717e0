// What an application may rely on, on both stages: so a test with the fake says something about the real thing.
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { fakeTheatre, NAME, realTheatre, type Stage, type Theatre, type Wishes } from './testing/stages.js';

jest.setTimeout(60_000); // much is started on one of the stages

describe.each([
  ['the fake', fakeTheatre],
  ['the real one', realTheatre],
])('with %s, an application', (_, open) => {
  let theatre: Theatre;
  let stage: Stage | undefined;

  beforeAll(async () => {
    theatre = await open();
  });
  afterEach(async () => {
    await stage?.twinkey.close();
    stage = undefined;
  });
  afterAll(() => theatre.close());

  async function raised(wishes?: Wishes) {
    const up = await theatre.raise(wishes);
    stage = up;
    return { stage: up, account: up.twinkey.account(NAME), twinkey: up.twinkey };
  }

  it('has its credential updated in place, and acknowledges', async () => {
    const { stage, account, twinkey } = await raised({ drainSeconds: 0 });
    const { credential } = account;
    const first = credential.key;
    const switched: number[] = [];
    twinkey.on('switched', ({ generation }) => switched.push(generation));
    await stage.switchKey();
    expect(credential.key).not.toBe(first);
    expect(account.generation).toBe(2);
    expect(switched).toEqual([2]);
    await stage.until(() => stage.acknowledged() === 2);
  });

  it('gets the current key from apiKey, headers and use', async () => {
    const { stage, account } = await raised();
    await stage.switchKey();
    const key = await account.apiKey();
    expect(key).toBe(account.credential.key);
    expect(await account.headers()).toEqual({ 'Ocp-Apim-Subscription-Key': key });
    expect(await account.headers('api-key')).toEqual({ 'api-key': key });
    expect(await account.use((given) => Promise.resolve(given))).toBe(key);
  });

  it('acknowledges only when its calls with the older key have ended', async () => {
    const { stage, account } = await raised();
    let end: () => void = () => undefined;
    const call = account.use(() => new Promise<void>((resolve) => (end = resolve)));
    await stage.until(() => stage.acknowledged() === 1);
    await stage.switchKey();
    expect(stage.acknowledged()).toBe(1);
    end();
    await call;
    await stage.until(() => stage.acknowledged() === 2);
  });

  it('notices nothing when its key is replaced unannounced', async () => {
    const { stage, account, twinkey } = await raised();
    const refused: boolean[] = [];
    twinkey.on('refused', ({ healed }) => refused.push(healed));
    await stage.replaceUnannounced();
    let status = 0;
    void account.fetch(stage.url).then((answer) => (status = answer.status));
    await stage.until(() => status !== 0);
    expect({ status, refused }).toEqual({ status: 200, refused: [true] });
  });

  it('gets the refusal when there is no other key, and the next one heals it', async () => {
    const { stage, account, twinkey } = await raised();
    const refused: boolean[] = [];
    twinkey.on('refused', ({ healed }) => refused.push(healed));
    await stage.killKey();
    let status = 0;
    void account.fetch(stage.url).then((answer) => (status = answer.status));
    await stage.until(() => status !== 0);
    expect({ status, refused }).toEqual({ status: 401, refused: [false] });
    await stage.switchKey();
    expect((await account.fetch(stage.url)).status).toBe(200);
  });

  it('finds the next key by itself while the notifier is silent, and is told of both', async () => {
    const heard: string[] = [];
    const { stage, account } = await raised({
      listeners: { lapsed: () => heard.push('lapsed'), resumed: () => heard.push('resumed') },
    });
    await stage.lapse();
    await stage.switchKey();
    await stage.until(() => account.generation === 2);
    await stage.resume();
    expect(heard).toEqual(['lapsed', 'resumed']);
  });

  it('may refuse a switch, says why, and is asked again', async () => {
    const offers: [number, number][] = [];
    let isBusy = true;
    const { stage, account } = await raised({
      askAgainSeconds: 0.5,
      beforeSwitch: ({ generation, previous, refuse }) => {
        offers.push([previous, generation]);
        if (isBusy) refuse('a batch is running');
      },
    });
    await stage.switchKey();
    await stage.until(() => stage.refusal() !== undefined);
    expect([account.generation, stage.refusal()]).toEqual([1, 'a batch is running']);
    isBusy = false;
    await stage.until(() => stage.acknowledged() === 2);
    expect(offers.at(0)).toEqual([1, 2]);
    await stage.until(() => stage.refusal() === undefined);
  });

  it('gets tokens, and one of its own for each key', async () => {
    const { stage, account } = await raised();
    const tokens = account.tokens({ endpoint: stage.url });
    const first = await tokens.getToken();
    expect(await tokens.getToken()).toBe(first);
    await stage.switchKey();
    expect(await tokens.getToken()).not.toBe(first);
  });

  it('is counted: calls with the key, tokens, calls with Entra, and whether the key itself was handed out', async () => {
    const { stage, account } = await raised();
    const tokens = account.tokens({ endpoint: stage.url });
    await account.fetch(stage.url);
    await account.entra().fetch(`${stage.url}/text/analytics/v3.1/languages`);
    await tokens.getToken();
    await account.use(() => Promise.resolve());
    expect(account.used).toEqual({ key: 2, token: 1, entra: 1, bare: false });
    await account.apiKey();
    expect(account.used).toMatchObject({ key: 3, bare: true });
  });

  it('gets no key any more when it has said goodbye', async () => {
    const { account, twinkey } = await raised();
    await twinkey.close();
    await expect(account.apiKey()).rejects.toThrow(/said goodbye/);
    await expect(account.use(() => Promise.resolve())).rejects.toThrow(/said goodbye/);
  });

  it('is told which accounts it has when it asks for another', async () => {
    const { twinkey } = await raised();
    expect(() => twinkey.account('other')).toThrow(/"other" is not one of multi/);
  });
});
