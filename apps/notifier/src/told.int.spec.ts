// What instances tell of themselves with their heartbeats is there for people, and decides nothing.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsumerName, generation, type HeartbeatRequest } from '@twinkey/contracts';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { declare } from './declare.js';
import { heartbeat } from './heartbeat.js';
import { register } from './register.js';
import { showConsumers, showSwitch } from './show.js';
import { accountCalled, createSchema, declared, openReplica, type Replica } from './trial/replica.js';

const account = accountCalled('speech-weu');
let database: TestDatabase;
let notifier: Replica;

beforeAll(async () => {
  database = await testDatabase({ prepare: createSchema });
  notifier = await openReplica(database.url);
  await declare(notifier.shell, declared('speech-weu'));
});

afterAll(async () => {
  await notifier.settled();
  await notifier.close();
  await database.drop();
});

async function join(consumer: string) {
  const boot = randomUUID();
  const asked = { consumer: ConsumerName.parse(consumer), name: 'pod-1', boot, accounts: ['speech-weu'] };
  const { instance } = await register(notifier.shell, { ...asked, channel: 'heartbeat' });
  const tell = (told: Partial<HeartbeatRequest['accounts'][number]>) =>
    heartbeat(notifier.shell, instance, {
      boot,
      accounts: [{ account, generation: generation(0), ...told }],
    });
  return { instance, tell };
}

const consumerCalled = async (name: string) =>
  (await showConsumers(notifier.shell)).find(({ consumer }) => consumer === name);

describe('what instances tell', () => {
  it('is shown for each of them, and together for their consumer', async () => {
    const [one, two] = [await join('web-shop'), await join('web-shop')];
    await one.tell({ used: { key: 7, token: 0, entra: 1, bare: false } });
    await two.tell({ used: { key: 1, token: 2, entra: 0, bare: true } });
    expect(await consumerCalled('web-shop')).toMatchObject({
      used: { key: 8, token: 2, entra: 1, bare: true },
      refusals: [],
    });
    const { instances } = await showSwitch(notifier.shell, 'speech-weu');
    expect(instances.find(({ instance }) => instance === one.instance)).toMatchObject({
      used: { key: 7, token: 0, entra: 1, bare: false },
    });
  });

  it('says who keeps an older key and why, until it is not said any more', async () => {
    const { instance, tell } = await join('batch');
    const refusal = { generation: generation(2), reason: 'a batch is running' };
    await tell({ refusal });
    expect(await consumerCalled('batch')).toMatchObject({
      refusals: [{ ...refusal, account: 'speech-weu', instance }],
    });
    await tell({});
    expect(await consumerCalled('batch')).not.toHaveProperty('refusals');
    const { instances } = await showSwitch(notifier.shell, 'speech-weu');
    expect(instances.find((each) => each.instance === instance)).not.toHaveProperty('refusal');
  });
});
