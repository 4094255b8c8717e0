// What instances tell of themselves with their heartbeats is there for people, and decides nothing.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsumerName, generation, type HeartbeatRequest, type RegistryEvent } from '@twinkey/contracts';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { declare } from './declare.js';
import { heartbeat } from './heartbeat.js';
import { leave } from './leave.js';
import { register } from './register.js';
import { showConsumers, showSwitch } from './show.js';
import {
  accountCalled,
  createSchema,
  declared,
  declaredConsumer,
  letPass,
  openReplica,
  sent,
  type Replica,
} from './trial/replica.js';
import { reportUses } from './use/report-use.js';

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
  return { instance, tell, leave: () => leave(notifier.shell, instance) };
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

type UseTold = Extract<RegistryEvent['what'], { event: 'use-told' }>;

/** All that others were told of the use of the account's key. */
async function tellings() {
  await reportUses(notifier.shell, { everyMs: 0 });
  return (await sent(notifier.db))
    .map(({ data }) => data['what'] as RegistryEvent['what'] | undefined)
    .filter((what): what is UseTold => what?.event === 'use-told' && what.account === account)
    .map(({ consumers }) => consumers);
}

/** The last of it, about one consumer. */
const toldOf = async (name: string) =>
  (await tellings()).at(-1)?.find(({ consumer }) => consumer === (name as ConsumerName));

/** So much later that the same is told again. */
const later = () =>
  sql`update account_use set reported_at = reported_at - interval '10 minutes'`.execute(notifier.db);

const used = (key: number, more: object = {}) => ({
  used: { key, token: 0, entra: 0, bare: false, ...more },
});

describe('the use of keys, as it is told to others', () => {
  beforeEach(async () => {
    await sql`truncate consumer, instance, membership, account_use, past_use, outbox cascade`.execute(
      notifier.db,
    );
  });

  it('counts who says what, and who says nothing', async () => {
    const [one, two] = [await join('web-shop'), await join('web-shop')];
    await join('web-shop');
    await one.tell(used(7, { entra: 1 }));
    await two.tell(used(0, { token: 2, bare: true }));
    expect(await toldOf('web-shop')).toMatchObject({
      live: 3,
      silent: 1,
      lapsed: 0,
      used: { key: 7, token: 2, entra: 1, bare: true },
      shownAt: expect.any(String) as unknown,
    });
  });

  it('is quiet since the last instance started or was seen to show a key, and that does not move by itself', async () => {
    const { tell } = await join('web-shop');
    await tell(used(7));
    const shown = await toldOf('web-shop');
    expect(shown?.quietSince).toBe(shown?.shownAt);
    await letPass(notifier.db, 600);
    await tell(used(7, { entra: 9 }));
    await reportUses(notifier.shell, { everyMs: 0 });
    const quiet = await toldOf('web-shop');
    expect(quiet?.shownAt).toBe(shown?.shownAt);
    expect(quiet?.quietSince).toBe(shown?.quietSince);
    await tell(used(8, { entra: 9 }));
    await later();
    const again = await toldOf('web-shop');
    expect(Date.parse(again?.shownAt ?? '')).toBeGreaterThan(Date.parse(shown?.shownAt ?? ''));
    expect(again?.quietSince).toBe(again?.shownAt);
  });

  it('is told when it becomes otherwise, and now and then, but not with every call', async () => {
    const { tell } = await join('web-shop');
    await tell(used(7));
    await tell(used(8));
    const before = (await tellings()).length;
    await tell(used(9));
    expect(await tellings()).toHaveLength(before);
    await tell(used(9, { bare: true }));
    expect(await tellings()).toHaveLength(before + 1);
    await later();
    expect(await tellings()).toHaveLength(before + 2);
  });

  it('remembers what instances that are gone had shown, and those that left without a word', async () => {
    const job = await join('batch');
    await job.tell(used(3));
    await job.leave();
    const left = await toldOf('batch');
    expect(left).toMatchObject({ live: 0, shownAt: expect.any(String) as unknown });
    expect(left).not.toHaveProperty('quietSince');
    const next = await join('batch');
    await next.tell(used(0));
    const quiet = await toldOf('batch');
    expect(quiet).toMatchObject({ live: 1, shownAt: left?.shownAt });
    expect(Date.parse(quiet?.quietSince ?? '')).toBeGreaterThan(Date.parse(left?.shownAt ?? ''));

    const mute = await join('batch');
    await sql`update membership set acknowledged = 1 where instance = ${mute.instance}`.execute(notifier.db);
    await mute.leave();
    await later();
    const after = await toldOf('batch');
    expect(Date.parse(after?.quietSince ?? '')).toBeGreaterThan(Date.parse(quiet?.quietSince ?? ''));
  });

  it('says of a declared receiver that it is one: it never says what it uses', async () => {
    await declare(
      notifier.shell,
      declaredConsumer('billing', { version: 5, channel: { kind: 'subscription', name: 'keys' } }),
    );
    const told = await toldOf('billing');
    expect(told).toMatchObject({ receiver: true, live: 1, silent: 1 });
    expect(told).not.toHaveProperty('lastSeenAt');
  });

  it('says who refuses a newer key, and why', async () => {
    const { instance, tell } = await join('web-shop');
    const refusal = { generation: generation(2), reason: 'a batch is running' };
    await tell({ ...used(1), refusal });
    expect(await toldOf('web-shop')).toMatchObject({ refusals: [{ instance, ...refusal }] });
    await tell(used(1));
    expect(await toldOf('web-shop')).not.toHaveProperty('refusals');
  });
});
