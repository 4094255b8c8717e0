import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
} from '@azure/core-rest-pipeline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Embedded, INSTANCE, until, urlOf } from './testing/embedded.js';
import type { Twinkey } from './twinkey.js';

// Much is started and asked here; a machine that does other work besides needs time for it.
jest.setTimeout(30_000);

let azure: Embedded;
const open: { twinkey?: Twinkey } = {};

beforeAll(async () => {
  azure = await Embedded.start('speech-prod', 'SpeechServices');
});

afterAll(() => azure.close());

beforeEach(() => {
  azure.reset();
});

afterEach(async () => {
  await open.twinkey?.close();
  delete open.twinkey;
});

async function connected(more: Parameters<Embedded['connect']>[0] = {}): Promise<Twinkey> {
  open.twinkey = await azure.connect(more);
  return open.twinkey;
}

describe('an application that connects', () => {
  it('gets the published key, is announced the next one, and acknowledges both', async () => {
    azure.current = 1;
    await azure.publish('key1', 1);
    const twinkey = await connected();
    const { credential: held } = twinkey.account('speech-prod');
    const { key1, key2 } = await azure.keys();
    expect(held.key).toBe(key1);
    await until(() => azure.acknowledged.length === 1);

    await azure.publish('key2', 2);
    await azure.announce(2);
    await until(() => azure.acknowledged.length === 2);
    expect(held.key).toBe(key2);
    expect(twinkey.account(azure.account).generation).toBe(2);
    expect(azure.acknowledged).toMatchObject([
      {
        account: azure.account,
        consumer: 'voice-bot',
        instance: INSTANCE,
        generation: 1,
        boot: azure.registered[0]?.boot,
      },
      { generation: 2, drainedAt: expect.any(String) },
    ]);
  });

  it('says goodbye when it leaves', async () => {
    azure.current = 1;
    await azure.publish('key1', 1);
    const twinkey = await connected();
    await twinkey.close();
    expect(azure.goodbyes).toEqual([`/v1/instances/${INSTANCE}`]);
  });

  it('is told why when it is turned away', async () => {
    await expect(connected({ accounts: ['somebody-elses'] })).rejects.toMatchObject({
      name: 'PermanentFault',
      code: 'account-not-allowed',
      message: expect.stringContaining('voice-bot may not use it'),
    });
    expect(azure.registered).toHaveLength(1);
  });

  it('may give up waiting for a first publication, and says goodbye then', async () => {
    azure.current = 0;
    const giveUp = new AbortController();
    const connecting = connected({ signal: giveUp.signal });
    await until(() => azure.heartbeats.length > 0);
    giveUp.abort();
    await expect(connecting).rejects.toMatchObject({ name: 'Interrupted' });
    expect(azure.goodbyes).toHaveLength(1);
  });

  it('works without Service Bus: heartbeats tell it, and tell of it', async () => {
    azure.current = 1;
    await azure.publish('key1', 1);
    const twinkey = await connected({ serviceBus: false });
    await azure.publish('key2', 2);
    azure.current = 2;
    await until(() => azure.heartbeats.at(-1)?.accounts[0]?.generation === 2);
    expect(twinkey.account('speech-prod').generation).toBe(2);
    expect(azure.acknowledged).toEqual([]);
  });
});

describe('calls while the key that they use dies unannounced', () => {
  it.each(['fetch', 'policy'] as const)('go through %s without their caller noticing', async (way) => {
    azure.current = 1;
    await azure.publish('key1', 1);
    const twinkey = await connected();
    const refused: boolean[] = [];
    twinkey.on('refused', ({ healed }) => refused.push(healed));
    const { fetch: call, policy } = twinkey.account('speech-prod');
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(policy, { afterPhase: 'Sign' });
    const url = `${azure.plainUrl}/speech-prod/languages`;
    const send = {
      fetch: () => call(url),
      policy: () =>
        pipeline.sendRequest(
          createDefaultHttpClient(),
          createPipelineRequest({ url, allowInsecureConnection: true }),
        ),
    }[way];
    expect((await send()).status).toBe(200);

    await azure.publish('key2', 2);
    await azure.keys('regenerateKey', 'Key1');
    expect((await send()).status).toBe(200);
    expect(refused).toEqual([true]);
  });
});

describe('an instance whose notifier is gone', () => {
  it('finds the next key by itself and hears nothing of its heartbeats', async () => {
    azure.current = 1;
    await azure.publish('key1', 1);
    const away = await azure.serveNotifier();
    const twinkey = await connected({ notifierUrl: urlOf(away), serviceBus: false });
    const lapsed: string[] = [];
    twinkey.on('lapsed', ({ reason }) => lapsed.push(reason));
    away.close();
    away.closeAllConnections();
    await until(() => lapsed.length === 1);
    await azure.publish('key2', 2);
    await until(() => twinkey.account('speech-prod').generation === 2);
    expect(lapsed).toHaveLength(1);
  });
});
