// Consumers that were declared, on a real database: whom a switch waits for, who may register, what stands for a
// receiver, and what of it is told.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ConsumerName, generation, type SwitchRequested } from '@twinkey/contracts';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { watchAccounts } from '../account-watch.js';
import { declare } from '../declare.js';
import { heartbeat } from '../heartbeat.js';
import { leave } from '../leave.js';
import { register } from '../register.js';
import { requestSwitch } from '../request-switch.js';
import { showConsumers, showSwitch } from '../show.js';
import {
  accountCalled,
  createSchema,
  declared,
  declaredConsumer,
  letPass,
  forgetEverything,
  openReplica,
  requested,
  sent,
  withdrawnConsumer,
  type Replica,
} from '../trial/replica.js';
import { removeUnwanted } from './durable-subscriptions.js';
import { receiverAcknowledges } from './receiver-acknowledges.js';
import { standingInstanceOf } from './standing-instance.js';

const account = accountCalled('speech-weu');
const billing = ConsumerName.parse('billing');
let database: TestDatabase;
let notifier: Replica;

beforeAll(async () => {
  database = await testDatabase({ prepare: createSchema });
  notifier = await openReplica(database.url);
});

beforeEach(async () => {
  await notifier.settled();
  await forgetEverything(notifier.db);
  notifier.subscriptions.clear();
  for (const name of ['speech-weu', 'vision']) await declare(notifier.shell, declared(name));
});

afterAll(async () => {
  await notifier.settled();
  await notifier.close();
  await database.drop();
});

const say = (...messages: Parameters<typeof declare>[1][]) =>
  messages.reduce(
    (before, message) => before.then(() => declare(notifier.shell, message)),
    Promise.resolve(),
  );

async function ask(changes: Parameters<typeof requested>[1] = {}): Promise<void> {
  await requestSwitch(notifier.shell, requested('speech-weu', changes));
  await notifier.settled();
}

async function join(consumer: string, accounts: readonly string[] = ['speech-weu']) {
  const boot = randomUUID();
  const name = ConsumerName.parse(consumer);
  const asked = { consumer: name, name: 'pod', boot, accounts: [...accounts], channel: 'heartbeat' as const };
  const { instance } = await register(notifier.shell, asked);
  const acknowledge = async (value: number, more: object = {}) => {
    const told = { account, generation: generation(value), ...more };
    await heartbeat(notifier.shell, instance, { boot, accounts: [told] });
    await notifier.settled();
  };
  return { instance, acknowledge };
}

async function outcomes() {
  await notifier.settled();
  return (await sent(notifier.db))
    .filter(({ entity, data }) => entity === 'switch-outcomes' && 'outcome' in data)
    .map(({ data }) => data);
}

/** What people were told of the account's consumers last. */
async function told() {
  await letPass(notifier.db, 2);
  await watchAccounts(notifier.shell);
  await notifier.settled();
  return (await sent(notifier.db)).filter(({ id }) => id.startsWith('cc-')).at(-1)?.data['what'];
}

const refused = (code: string) => expect.objectContaining({ code }) as unknown;
const inAnHour: Partial<SwitchRequested> = { deadlineAt: new Date(Date.now() + 3_600_000).toISOString() };

describe('a declared consumer', () => {
  it('is waited for until as many of it are there as must be', async () => {
    await say(declaredConsumer('desk', { minimumInstances: 2 }));
    const one = await join('desk');
    await ask();
    await one.acknowledge(1);
    expect(await outcomes()).toEqual([]);
    expect(await showSwitch(notifier.shell, 'speech-weu')).toMatchObject({
      declared: [{ consumer: 'desk', minimum: 2, tooFew: true }],
    });
    expect(await told()).toMatchObject({ consumers: [{ consumer: 'desk', live: 1, minimum: 2 }] });
    const two = await join('desk');
    expect(await outcomes()).toEqual([]);
    await two.acknowledge(1);
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged', instances: 2 }]);
  });

  it('is named when it is overdue, with how many of it are there and why an instance refuses', async () => {
    await say(declaredConsumer('desk', { minimumInstances: 2 }));
    const { instance, acknowledge } = await join('desk');
    await acknowledge(0, { refusal: { generation: generation(1), reason: 'a batch runs' } });
    await ask({ deadlineAt: new Date(Date.now() - 1).toISOString() });
    expect(await outcomes()).toMatchObject([
      {
        outcome: 'overdue',
        missing: [
          { consumer: 'desk', instance, refusal: 'a batch runs' },
          { consumer: 'desk', live: 1, minimum: 2 },
        ],
      },
    ]);
  });

  it('has a deadline of its own from the moment the question is put, and is left out then if declared so', async () => {
    await say(declaredConsumer('desk', { acknowledgeWithinSeconds: 60, onOverdue: 'force' }));
    await join('desk');
    const web = await join('web-shop');
    await ask();
    await web.acknowledge(1);
    expect(await outcomes()).toEqual([]);
    await letPass(notifier.db, 61);
    await sql`update instance set lease_until = lease_until + interval '10 minutes'`.execute(notifier.db);
    await watchAccounts(notifier.shell);
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged', forced: ['desk'] }]);
  });

  it.each([
    ['hold', 'hold', { outcome: 'overdue', hold: true, missing: [{ consumer: 'desk' }] }],
    ['nothing', undefined, { outcome: 'acknowledged', forced: ['desk'] }],
  ] as const)(
    'that says %s of its silence counts so at its own deadline where the policy would go on',
    async (_, onOverdue, outcome) => {
      await say(
        declaredConsumer('desk', {
          acknowledgeWithinSeconds: 60,
          minimumInstances: 1,
          ...(onOverdue === undefined ? {} : { onOverdue }),
        }),
      );
      await (await join('web-shop')).acknowledge(0);
      await ask({ ...inAnHour, onOverdue: 'force', withoutConsumers: 'rotate' });
      await sql`delete from instance`.execute(notifier.db);
      await letPass(notifier.db, 61);
      await watchAccounts(notifier.shell);
      expect(await outcomes()).toMatchObject([outcome]);
    },
  );

  it('that keeps a switch waiting is told as escalated, once, without anybody saying anything', async () => {
    await say(
      declaredConsumer('desk', { minimumInstances: 1, escalate: { afterSeconds: 60, to: 'on-call' } }),
    );
    await ask();
    expect(await told()).toMatchObject({ consumers: [{ consumer: 'desk', live: 0 }] });
    expect(await told()).not.toHaveProperty('consumers.0.escalated');
    await letPass(notifier.db, 61);
    await watchAccounts(notifier.shell);
    await notifier.settled();
    const escalations = (await sent(notifier.db)).filter(({ data }) =>
      JSON.stringify(data).includes('on-call'),
    );
    expect(escalations).toMatchObject([
      { data: { what: { consumers: [{ escalated: { to: 'on-call' } }] } } },
    ]);
    await (await join('desk')).acknowledge(1);
    expect(await told()).not.toHaveProperty('consumers.0.escalated');
  });

  it('is not waited for any more when it is withdrawn', async () => {
    await say(declaredConsumer('desk', { minimumInstances: 1 }));
    await ask({ withoutConsumers: 'rotate' });
    expect(await outcomes()).toEqual([]);
    await say(withdrawnConsumer('desk'));
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged' }]);
  });

  it('is what the file says, whatever the API said before or after; when the file stops, the API counts', async () => {
    const minimum = async () =>
      (await showConsumers(notifier.shell)).find(({ consumer }) => consumer === 'desk')?.declared;
    await say(declaredConsumer('desk', { source: 'api', version: 7, minimumInstances: 7 }));
    expect(await minimum()).toMatchObject({ by: 'api', minimumInstances: 7 });
    await say(
      declaredConsumer('desk', { version: 2, minimumInstances: 2 }),
      declaredConsumer('desk', { version: 1, minimumInstances: 1 }),
      declaredConsumer('desk', { source: 'api', version: 8, minimumInstances: 8 }),
    );
    expect(await minimum()).toMatchObject({ by: 'file', minimumInstances: 2, accounts: ['speech-weu'] });
    await say(withdrawnConsumer('desk', { version: 3 }));
    expect(await minimum()).toMatchObject({ by: 'api', minimumInstances: 8 });
    await say(withdrawnConsumer('desk', { source: 'api', version: 9 }));
    expect(await minimum()).toBeUndefined();
  });
});

describe('an instance that registers', () => {
  it('for an account that its consumer is not declared for is told so, by name', async () => {
    await say(declaredConsumer('desk'));
    await expect(join('desk', ['speech-weu', 'vision'])).rejects.toMatchObject({
      code: 'account-not-declared',
      message: expect.stringContaining('"desk" is declared for speech-weu, not for vision') as unknown,
    });
    await join('desk');
  });

  it('of a consumer that nobody declared is let in, unless the account takes declared ones only', async () => {
    await join('guest');
    await say(declared('speech-weu', { version: 2, onlyDeclaredConsumers: true }), declaredConsumer('desk'));
    await expect(join('guest')).rejects.toEqual(refused('consumer-not-declared'));
    await join('guest', ['vision']);
    await join('desk');
  });

  it('as a declared receiver is refused: there is nobody beside its standing instance', async () => {
    await say(declaredConsumer('billing', { channel: { kind: 'subscription', name: 'keys' } }));
    await expect(join('billing')).rejects.toEqual(refused('declared-as-receiver'));
    await expect(leave(notifier.shell, standingInstanceOf(billing).instance)).rejects.toEqual(
      refused('declared-as-receiver'),
    );
  });
});

describe('a declared receiver', () => {
  const receiver = (changes: Parameters<typeof declaredConsumer>[1] = {}) =>
    declaredConsumer('billing', { channel: { kind: 'subscription', name: 'keys' }, ...changes });
  const acknowledges = (value: number, called = 'speech-weu') =>
    receiverAcknowledges(notifier.shell, billing, { account: called, generation: generation(value) });

  it('is waited for, for ever, until it says that it uses the new key', async () => {
    await say(receiver());
    await ask();
    await letPass(notifier.db, 86_400);
    await watchAccounts(notifier.shell);
    expect(await outcomes()).toEqual([]);
    expect(await showSwitch(notifier.shell, 'speech-weu')).toMatchObject({
      instances: [{ consumer: 'billing', standing: 'live', missing: true }],
    });
    expect(await acknowledges(1)).toEqual({ account, acknowledged: 1, published: 1 });
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged', instances: 1 }]);
    expect(await acknowledges(1)).toMatchObject({ acknowledged: 1 });
  });

  it('acknowledges for itself only, and for its own accounts', async () => {
    await say(receiver(), declaredConsumer('desk'));
    await expect(acknowledges(1, 'vision')).rejects.toEqual(refused('account-not-declared'));
    await expect(acknowledges(1, 'visoin')).rejects.toEqual(refused('unknown-account'));
    const desk = ConsumerName.parse('desk');
    await expect(
      receiverAcknowledges(notifier.shell, desk, { account: 'speech-weu', generation: generation(1) }),
    ).rejects.toEqual(refused('not-a-receiver'));
  });

  it('cannot acknowledge what is not published: it could never take it back, and would hold every switch', async () => {
    await say(receiver());
    await ask();
    await expect(acknowledges(1_772_440_200)).rejects.toMatchObject({
      code: 'generation-not-published',
      message: expect.stringContaining('speech-weu is at 1, not yet at 1772440200') as unknown,
    });
    // It may also be right, and the rotator have forgotten: that is looked into, as with any instance.
    expect(await sent(notifier.db)).toContainEqual(
      expect.objectContaining({
        entity: 'switch-outcomes',
        data: expect.objectContaining({
          consumer: 'billing',
          generation: 1_772_440_200,
          published: 1,
        }) as unknown,
      }),
    );
    expect(await acknowledges(1)).toMatchObject({ acknowledged: 1 });
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged' }]);
    await ask({ generation: generation(2) });
    expect(await acknowledges(2)).toMatchObject({ acknowledged: 2, published: 2 });
  });

  it('has a subscription on the topics of its accounts, which is removed with its declaration', async () => {
    await say(receiver({ accounts: ['speech-weu', 'vision'] }));
    const topics = [...notifier.subscriptions];
    expect(topics.length).toBeGreaterThan(0);
    expect(topics.every((topic) => topic.endsWith('/keys'))).toBe(true);
    await removeUnwanted(notifier.shell);
    expect([...notifier.subscriptions]).toEqual(topics);
    await say(withdrawnConsumer('billing'));
    await removeUnwanted(notifier.shell);
    expect([...notifier.subscriptions]).toEqual([]);
  });

  it('gets its subscription again when somebody removed it, with the next time that it is declared', async () => {
    await say(receiver());
    const made = [...notifier.subscriptions];
    notifier.subscriptions.clear();
    await say(receiver({ version: 2 }));
    expect([...notifier.subscriptions]).toEqual(made);
  });

  it('that becomes an ordinary consumer leaves, and its instances may come', async () => {
    await say(receiver());
    await ask({ withoutConsumers: 'rotate' });
    await say(declaredConsumer('billing', { version: 2 }));
    expect(await outcomes()).toMatchObject([{ outcome: 'acknowledged', instances: 0 }]);
    await join('billing');
    await removeUnwanted(notifier.shell);
    expect([...notifier.subscriptions]).toEqual([]);
  });

  it('stands for the accounts that it is declared for now, and keeps what it said of the others', async () => {
    await say(receiver({ accounts: ['speech-weu', 'vision'] }));
    await ask();
    await acknowledges(1);
    await say(
      receiver({ version: 2, channel: { kind: 'webhook', url: 'https://b.example/', signature: 'ed25519' } }),
    );
    const { instances } = await showSwitch(notifier.shell, 'speech-weu');
    expect(instances).toMatchObject([{ consumer: 'billing', acknowledged: 1 }]);
    expect((await showSwitch(notifier.shell, 'vision')).instances).toEqual([]);
  });
});
