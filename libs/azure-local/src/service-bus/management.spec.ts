import {
  ServiceBusAdministrationClient,
  ServiceBusClient,
  type ServiceBusReceiver,
} from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BareClient, errorOf, messageOf, type Ask } from '../testing/bare-client.js';
import { DETACH, DISPOSITION, TRANSFER } from './amqp/performatives.js';
import {
  array64,
  binary,
  bool,
  described,
  int,
  list,
  string,
  stringMap,
  symbol,
  timestamp,
  uint,
  type Put,
} from './amqp/put.js';
import { AmqpMap } from './amqp/reader.js';
import type { PresentedToken, Verdict } from './authorization.js';
import { swapped } from './protocol/request.js';
import { startServiceBus, type ServiceBusServer } from './server.js';
import { readMessage } from './state/message.js';

let server: ServiceBusServer;
let client: ServiceBusClient;
let bare: BareClient;
let now = 0;
const strangers: BareClient[] = [];
let judge: (token: PresentedToken) => Verdict;

const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };
const soon = { maxWaitTimeInMs: 2000 };
const SESSION = 0x13_7000_000c;

beforeEach(async () => {
  now = Date.now();
  judge = () => ({ expiresAt: Infinity });
  server = await startServiceBus({
    sas: [{ keyName: 'root', key: 'a2V5' }],
    verifyToken: (token) => Promise.resolve(judge(token)),
    clock: () => now,
    topology: {
      UserConfig: {
        Namespaces: [
          {
            Queues: [{ Name: 'orders' }, { Name: 'calls', Properties: { RequiresSession: true } }],
            Topics: [{ Name: 'news', Subscriptions: [{ Name: 'all' }] }],
          },
        ],
      },
    },
  });
  client = new ServiceBusClient(connectionString(), { retryOptions: { maxRetries: 0, timeoutInMs: 3000 } });
  ({ client: bare } = await BareClient.dial(server.port, { plain: ['root', 'a2V5'] }));
  await bare.begin();
});

afterEach(async () => {
  for (const each of [bare, ...strangers.splice(0)]) each.close();
  await client.close();
  await server.close();
});

const connectionString = () =>
  `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=root;SharedAccessKey=a2V5;UseDevelopmentEmulator=true`;
const orders = () => server.stats().entities['orders'];
const calls = () => server.stats().entities['calls'];
const message = (o: Parameters<typeof messageOf>[0]) => stringMap({ message: binary(messageOf(o)) });
const messages = (...all: Put[]) => ({ messages: list(all) });

async function locked(receiver: ServiceBusReceiver, count: number) {
  const all = await receiver.receiveMessages(count, soon);
  if (all.length !== count) throw new Error(`${all.length} of ${count} messages arrived`);
  return all;
}

function tokens(...all: Buffer[]): Put {
  return list(
    all.map((token) => (to) => {
      to.u8(0x98);
      to.raw(token);
    }),
  );
}

/** The lock token of a received message as management requests carry it. */
async function bareDelivery(source: string, filter?: Put): Promise<Buffer> {
  await bare.attach({ handle: 5, role: 'receiver', source, ...(filter && { filter }) });
  bare.credit(5, 1);
  const { fields } = await bare.next(TRANSFER);
  return swapped(fields.binary(2) ?? Buffer.alloc(16));
}

const sessionFilter = (id: string) => (to: Parameters<Put>[0]) => {
  const start = to.open(0xd1);
  symbol('com.microsoft:session-filter')(to);
  described((inner) => {
    inner.u8(0x80);
    inner.safe64(SESSION);
  }, string(id))(to);
  to.close(start, 2);
};

describe('a request for several messages', () => {
  it('takes none of the deferred ones when one is missing', async () => {
    await client.createSender('orders').sendMessages([{ body: 1 }, { body: 2 }]);
    const receiver = client.createReceiver('orders', unrenewed);
    const [first, second] = await locked(receiver, 2);
    if (first?.sequenceNumber === undefined || second === undefined) throw new Error('no message');
    await receiver.deferMessage(first);
    const ask = await bare.management('orders');
    const wanted = (...numbers: number[]) => ({
      'sequence-numbers': array64(0x81, numbers),
      'receiver-settle-mode': uint(0),
    });
    const one = first.sequenceNumber.toNumber();
    expect(await ask('receive-by-sequence-number', wanted(one, 99))).toMatchObject({
      status: 404,
      condition: 'com.microsoft:message-not-found',
    });
    expect(orders()).toMatchObject({ deferred: 1 });
    expect(await ask('receive-by-sequence-number', wanted(one, one))).toMatchObject({ status: 200 });
    expect(orders()).toMatchObject({ deferred: 0 });
  });

  it('cancels none when one is not scheduled', async () => {
    const sender = client.createSender('orders');
    const [sequence] = await sender.scheduleMessages([{ body: 1 }], new Date(now + 60_000));
    if (sequence === undefined) throw new Error('no number');
    const ask = await bare.management('orders');
    const cancel = (...numbers: number[]) =>
      ask('cancel-scheduled-message', { 'sequence-numbers': array64(0x81, numbers) });
    expect(await cancel(sequence.toNumber(), 99)).toMatchObject({ status: 404 });
    expect(orders()).toMatchObject({ scheduled: 1 });
    expect(await cancel(sequence.toNumber())).toMatchObject({ status: 200 });
    expect(orders()).toMatchObject({ scheduled: 0 });
  });

  it('settles none when one lock is lost', async () => {
    await client.createSender('orders').sendMessages({ body: 1 });
    const token = await bareDelivery('orders');
    const ask = await bare.management('orders');
    const complete = (...all: Buffer[]) =>
      ask('update-disposition', { 'disposition-status': string('completed'), 'lock-tokens': tokens(...all) });
    expect(await complete(token, Buffer.alloc(16, 9))).toMatchObject({
      status: 410,
      condition: 'com.microsoft:message-lock-lost',
    });
    expect(orders()).toMatchObject({ active: 1 });
    expect(await complete(token)).toMatchObject({ status: 200 });
    expect(orders()).toMatchObject({ active: 0 });
  });

  it('schedules none when one has no session', async () => {
    const ask = await bare.management('calls');
    const due = (sessionId?: string) => message({ ...(sessionId !== undefined && { sessionId }) });
    expect(await ask('schedule-message', messages(due('a'), due()))).toMatchObject({
      status: 400,
      condition: 'amqp:not-allowed',
    });
    expect(calls()).toMatchObject({ active: 0 });
  });
});

describe('scheduling', () => {
  it('is refused where sending is', async () => {
    for (const place of ['news/Subscriptions/all', 'orders/$DeadLetterQueue']) {
      const ask = await bare.management(place, place.length * 4);
      expect(await ask('schedule-message', messages(message({})))).toMatchObject({
        condition: 'amqp:not-allowed',
      });
    }
  });

  it('is refused for a message that is too large', async () => {
    const ask = await bare.management('orders');
    const large = message({ data: Buffer.alloc(300_000) });
    expect(await ask('schedule-message', messages(message({}), large))).toMatchObject({
      condition: 'amqp:link:message-size-exceeded',
    });
    expect(orders()).toMatchObject({ active: 0 });
  });
});

describe('a management request', () => {
  /** Asks with a token that grants one right. */
  async function guest(right: string): Promise<Ask> {
    judge = ({ need, text }) => (need === text ? { expiresAt: Infinity } : { refused: `No ${need}` });
    const { client: stranger } = await BareClient.dial(server.port);
    strangers.push(stranger);
    await stranger.begin();
    await stranger.attach({ handle: 0, role: 'sender', target: '$cbs', source: '$cbs' });
    await stranger.attach({ handle: 1, role: 'receiver', source: '$cbs', target: '$cbs' });
    stranger.credit(1, 10);
    const [operation, type, name] = ['put-token', 'jwt', 'sb://127.0.0.1/orders'].map(string);
    if (!operation || !type || !name) throw new Error('three texts');
    const token = messageOf({ properties: { operation, type, name }, value: string(right) });
    stranger.transfer(0, 0, token, { settled: true });
    await stranger.next(TRANSFER);
    return stranger.management('orders');
  }

  it('needs the right for what it does', async () => {
    const asked = { 'sequence-numbers': array64(0x81, [1]), 'session-id': string('a') };
    const refused = { status: 401, condition: 'amqp:unauthorized-access' };
    const listener = await guest('Listen');
    expect(await listener('peek-message')).toMatchObject({ status: 204 });
    expect(await listener('schedule-message', messages(message({})))).toMatchObject(refused);
    expect(await listener('cancel-scheduled-message', asked)).toMatchObject(refused);
    const sender = await guest('Send');
    expect(await sender('schedule-message', messages(message({})))).toMatchObject({ status: 200 });
    for (const operation of [
      'peek-message',
      'renew-lock',
      'update-disposition',
      'receive-by-sequence-number',
      'batch-delete-messages',
      'renew-session-lock',
      'get-session-state',
      'set-session-state',
      'get-message-sessions',
      'enumerate-rules',
      'add-rule',
      'remove-rule',
    ])
      expect({ operation, ...(await sender(operation, asked)) }).toMatchObject({ operation, ...refused });
  });

  it('that nobody knows is not implemented', async () => {
    const ask = await bare.management('orders');
    for (const operation of ['fly', 'constructor'])
      expect(await ask(operation)).toMatchObject({ status: 501, condition: 'amqp:not-implemented' });
  });

  it('that is too large, or no message at all, is answered, and the next one as well', async () => {
    const ask = await bare.management('orders');
    const large = messageOf({ messageId: string('large'), data: Buffer.alloc(1_100_000) });
    bare.transfer(100, 1, large);
    expect((await bare.next(DISPOSITION)).fields.described(4)?.descriptor).toBe(0x24);
    const reply = readMessage((await bare.next(TRANSFER)).payload);
    expect(reply.property('correlationId')).toBe('large');
    expect(reply.applicationProperties.get('errorCondition')).toBe('amqp:link:message-size-exceeded');
    bare.transfer(100, 2, Buffer.from('no message'));
    const state = (await bare.next(DISPOSITION)).fields.described(4);
    expect(errorOf(state)).toMatchObject({ condition: 'amqp:decode-error' });
    expect(await ask('peek-message')).toMatchObject({ status: 204 });
  });
});

describe('peeking', () => {
  it('tells no end of a lock, and leaves bodies out on request', async () => {
    await client.createSender('orders').sendMessages({ body: 'long story', applicationProperties: { a: 1 } });
    await locked(client.createReceiver('orders', unrenewed), 1);
    const ask = await bare.management('orders');
    const peek = async (more: Record<string, Put>) => {
      const { messages: found } = await ask('peek-message', { 'message-count': int(5), ...more });
      const [first] = found as AmqpMap[];
      return first?.get('message') as Buffer;
    };
    const whole = await peek({});
    expect(whole.includes('x-opt-sequence-number')).toBe(true);
    expect(whole.includes('x-opt-locked-until')).toBe(false);
    expect(readMessage(whole).body).not.toBeNull();
    const head = readMessage(await peek({ 'omit-message-body': bool(true) }));
    expect(head.body).toBeNull();
    expect(head.applicationProperties.get('a')).toBe(1);
  });

  it('answers no more at once than one message may hold, but one at least', async () => {
    const sender = client.createSender('orders');
    for (let n = 0; n < 5; n++) await sender.sendMessages({ body: Buffer.alloc(100_000) });
    const receiver = client.createReceiver('orders');
    expect(await receiver.peekMessages(5)).toHaveLength(2);
    expect(await receiver.peekMessages(5)).toHaveLength(2);
    expect(await receiver.peekMessages(5)).toHaveLength(1);
  });
});

describe('a message of a session', () => {
  it('has no lock of its own that could be renewed', async () => {
    await client.createSender('calls').sendMessages({ body: 1, sessionId: 'a' });
    const token = await bareDelivery('calls', sessionFilter('a'));
    const ask = await bare.management('calls');
    expect(await ask('renew-lock', { 'lock-tokens': tokens(token) })).toMatchObject({
      condition: 'amqp:not-allowed',
    });
    now += 60_001;
    server.tick();
    const again = await client.acceptSession('calls', 'a', unrenewed);
    expect(await again.receiveMessages(1, soon)).toMatchObject([{ deliveryCount: 1 }]);
  });

  it('is received by its number only by whoever holds the session', async () => {
    await client.createSender('calls').sendMessages({ body: 1, sessionId: 'a' });
    const session = await client.acceptSession('calls', 'a', unrenewed);
    const [received] = await session.receiveMessages(1, soon);
    if (received?.sequenceNumber === undefined) throw new Error('no message');
    await session.deferMessage(received);
    const ask = await bare.management('calls');
    const wanted = { 'sequence-numbers': array64(0x81, [received.sequenceNumber.toNumber()]) };
    expect(await ask('receive-by-sequence-number', wanted)).toMatchObject({ condition: 'amqp:not-allowed' });
    await session.close();
    const named = { ...wanted, 'session-id': string('a') };
    expect(await ask('receive-by-sequence-number', named)).toMatchObject({
      condition: 'com.microsoft:session-lock-lost',
    });
    expect(calls()).toMatchObject({ deferred: 1 });
  });
});

describe('the list of sessions', () => {
  it('asked for at the end of time names those with messages to receive', async () => {
    const sender = client.createSender('calls');
    await sender.sendMessages([
      { body: 1, sessionId: 'a' },
      { body: 2, sessionId: 'b' },
    ]);
    const idle = await client.acceptSession('calls', 'idle', unrenewed);
    await idle.setSessionState('kept');
    const ask = await bare.management('calls');
    const since = (ms: number) =>
      ask('get-message-sessions', { 'last-updated-time': timestamp(ms), top: int(9) });
    expect((await since(253_402_300_799_999))['sessions-ids']).toEqual(['a', 'b']);
    expect((await since(0))['sessions-ids']).toEqual(['a', 'b', 'idle']);
    expect(await since(now + 1000)).toMatchObject({ status: 204 });
  });
});

describe('deleting in one go', () => {
  it('takes the oldest messages that wait, up to a number and a time', async () => {
    const sender = client.createSender('orders');
    await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }, { body: 4 }]);
    const until = now;
    const receiver = client.createReceiver('orders', unrenewed);
    const [held] = await locked(receiver, 1);
    if (held === undefined) throw new Error('no message');
    now += 1000;
    await sender.sendMessages({ body: 5 });
    const ask = await bare.management('orders');
    const remove = (count: number) =>
      ask('batch-delete-messages', { 'message-count': int(count), 'enqueued-time-utc': timestamp(until) });
    expect(await remove(2)).toMatchObject({ status: 200, 'message-count': 2 });
    expect(await remove(9)).toMatchObject({ status: 200, 'message-count': 1 });
    expect(await remove(9)).toMatchObject({ status: 204 });
    expect(await remove(0)).toMatchObject({ status: 400 });
    await receiver.completeMessage(held);
    expect(await receiver.receiveMessages(1, soon)).toMatchObject([{ body: 5 }]);
  });
});

describe('an entity that is disabled', () => {
  const administration = () => {
    const admin = new ServiceBusAdministrationClient(connectionString());
    // The SDK knows https only.
    (admin as unknown as { pipeline: { addPolicy(policy: object): void } }).pipeline.addPolicy({
      name: 'plainHttp',
      sendRequest: (
        request: { url: string; allowInsecureConnection: boolean },
        next: (r: object) => unknown,
      ) => {
        request.url = request.url.replace(/^https:/, 'http:');
        request.allowInsecureConnection = true;
        return next(request);
      },
    });
    return admin;
  };

  it('takes the links that its status no longer allows, and no requests', async () => {
    const admin = administration();
    await bare.attach({ handle: 0, role: 'sender', target: 'orders' });
    await bare.attach({ handle: 1, role: 'receiver', source: 'orders' });
    const ask = await bare.management('orders');
    const set = async (status: 'Active' | 'Disabled' | 'SendDisabled' | 'ReceiveDisabled') =>
      admin.updateQueue({ ...(await admin.getQueue('orders')), status });
    const disabled = 'com.microsoft:entity-disabled';
    await set('SendDisabled');
    const first = await bare.next(DETACH);
    expect([first.fields.at(0), errorOf(first.fields.described(2))?.condition]).toEqual([0, disabled]);
    expect(await ask('schedule-message', messages(message({})))).toMatchObject({ condition: disabled });
    expect(await ask('peek-message')).toMatchObject({ status: 204 });
    await set('ReceiveDisabled');
    const second = await bare.next(DETACH);
    expect([second.fields.at(0), errorOf(second.fields.described(2))?.condition]).toEqual([1, disabled]);
    expect(await ask('peek-message')).toMatchObject({ condition: disabled });
    expect(await ask('schedule-message', messages(message({})))).toMatchObject({ status: 200 });
    await set('Active');
    await client.createSender('orders').sendMessages({ body: 1 });
    expect(await client.createReceiver('orders').receiveMessages(1, soon)).toHaveLength(1);
  });
});
