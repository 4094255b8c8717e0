import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from './server.js';

let server: ServiceBusServer;
let client: ServiceBusClient;
let now = 0;

const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };
const soon = { maxWaitTimeInMs: 2000 };

beforeEach(async () => {
  now = Date.now();
  server = await startServiceBus({
    allowAnySas: true,
    clock: () => now,
    topology: {
      UserConfig: {
        Namespaces: [
          {
            Queues: [
              { Name: 'end' },
              { Name: 'orders', Properties: { MaxDeliveryCount: 3 } },
              { Name: 'via', Properties: { ForwardTo: 'end', ForwardDeadLetteredMessagesTo: 'end' } },
              { Name: 'letters', Properties: { ForwardDeadLetteredMessagesTo: 'end' } },
            ],
            Topics: [{ Name: 'news', Subscriptions: [{ Name: 'all' }] }],
          },
        ],
      },
    },
  });
  client = new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`,
    { retryOptions: { maxRetries: 0, timeoutInMs: 3000 } },
  );
});

afterEach(async () => {
  await client.close();
  await server.close();
});

async function one(receiver: ServiceBusReceiver) {
  const [message] = await receiver.receiveMessages(1, soon);
  if (message === undefined) throw new Error('no message arrived');
  return message;
}

describe('a deferred message', () => {
  it('is out of the way until it is asked for by its number', async () => {
    await client.createSender('orders').sendMessages({ body: 'early' });
    const receiver = client.createReceiver('orders', unrenewed);
    const message = await one(receiver);
    const { sequenceNumber } = message;
    if (sequenceNumber === undefined) throw new Error('no sequence number');
    await receiver.deferMessage(message, { missing: 'invoice' });
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 100 })).toHaveLength(0);
    const [deferred] = await receiver.receiveDeferredMessages(sequenceNumber);
    if (deferred === undefined) throw new Error('no message arrived');
    expect(deferred).toMatchObject({
      body: 'early',
      state: 'deferred',
      deliveryCount: 1,
      applicationProperties: { missing: 'invoice' },
    });
    await receiver.abandonMessage(deferred);
    const [again] = await receiver.receiveDeferredMessages(sequenceNumber);
    if (again === undefined) throw new Error('no message arrived');
    await receiver.completeMessage(again);
    await expect(receiver.receiveDeferredMessages(sequenceNumber)).rejects.toMatchObject({
      code: 'MessageNotFound',
    });
  });
});

describe('settling after the link is gone', () => {
  it('goes through the management link', async () => {
    await client.createSender('orders').sendMessages([1, 2, 3, 4, 5].map((body) => ({ body })));
    const receiver = client.createReceiver('orders', unrenewed);
    const [done, bad, again, later] = await receiver.receiveMessages(4, soon);
    if (!done || !bad || !again || !later) throw new Error('four messages were sent');
    server.faults.add({ operation: 'receive', target: 'orders', effect: { kind: 'detach' } });
    await expect(receiver.receiveMessages(1, soon)).rejects.toThrow('maintenance');
    await receiver.completeMessage(done);
    await receiver.deadLetterMessage(bad, { deadLetterReason: 'bad', deadLetterErrorDescription: 'x' });
    await receiver.abandonMessage(again);
    await receiver.deferMessage(later);
    expect(server.stats().entities['orders']).toEqual({ active: 2, dead: 1, scheduled: 0, deferred: 1 });
    await expect(receiver.completeMessage(done)).rejects.toThrow('already');
  });
});

describe('peeking', () => {
  it('shows messages in every state in the order of their numbers, and takes none', async () => {
    const sender = client.createSender('orders');
    await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3, timeToLive: 1000 }]);
    await sender.scheduleMessages([{ body: 4 }], new Date(now + 60_000));
    const receiver = client.createReceiver('orders', unrenewed);
    await receiver.deferMessage(await one(receiver));
    now += 1000;
    const peeked = await receiver.peekMessages(10);
    expect(peeked.map(({ body, state }) => [body as number, state])).toEqual([
      [1, 'deferred'],
      [2, 'active'],
      [4, 'scheduled'],
    ]);
    expect(peeked[1]?.lockedUntilUtc).toBeUndefined();
    const second = peeked[1]?.sequenceNumber;
    if (second === undefined) throw new Error('no sequence number');
    expect(await receiver.peekMessages(1, { fromSequenceNumber: second })).toMatchObject([{ body: 2 }]);
  });
});

describe('receiving and deleting at once', () => {
  it('leaves nothing to settle', async () => {
    await client.createSender('orders').sendMessages([{ body: 1 }, { body: 2 }]);
    const receiver = client.createReceiver('orders', { receiveMode: 'receiveAndDelete' });
    expect(await receiver.receiveMessages(2, soon)).toMatchObject([{ body: 1 }, { body: 2 }]);
    expect(server.stats().entities['orders']).toMatchObject({ active: 0 });
  });
});

describe('forwarding', () => {
  it('passes messages and dead letters on to another entity', async () => {
    await client.createSender('via').sendMessages({ body: 'on' });
    expect(await one(client.createReceiver('end', unrenewed))).toMatchObject({ body: 'on' });
    await client.createSender('letters').sendMessages({ body: 'bad' });
    const receiver = client.createReceiver('letters', unrenewed);
    await receiver.deadLetterMessage(await one(receiver), {
      deadLetterReason: 'because',
      deadLetterErrorDescription: 'it was bad',
    });
    expect(await one(client.createReceiver('end', unrenewed))).toMatchObject({
      body: 'bad',
      deadLetterReason: 'because',
      deadLetterSource: 'letters',
    });
  });
});

describe('the rules of a subscription', () => {
  it('can be changed while it is in use', async () => {
    const rules = client.createRuleManager('news', 'all');
    await rules.createRule(
      'red',
      { sqlExpression: "color = 'red'" },
      { sqlExpression: "SET sys.Label = 'seen'; SET extra = 1" },
    );
    await expect(rules.createRule('red', { sqlExpression: 'TRUE' })).rejects.toMatchObject({
      code: 'MessagingEntityAlreadyExists',
    });
    await rules.deleteRule('$Default');
    await expect(rules.deleteRule('$Default')).rejects.toMatchObject({ code: 'MessagingEntityNotFound' });
    await expect(rules.createRule('broken', { sqlExpression: 'color ===' })).rejects.toThrow('expected');
    const found = [];
    for await (const rule of rules.listRules()) found.push(rule);
    expect(found).toEqual([
      {
        name: 'red',
        filter: { sqlExpression: "color = 'red'" },
        action: { sqlExpression: "SET sys.Label = 'seen'; SET extra = 1" },
      },
    ]);
    const sender = client.createSender('news');
    await sender.sendMessages([
      { body: 1, applicationProperties: { color: 'blue' } },
      { body: 2, applicationProperties: { color: 'red' } },
    ]);
    expect(await one(client.createReceiver('news', 'all', unrenewed))).toMatchObject({
      body: 2,
      subject: 'seen',
      applicationProperties: { color: 'red', extra: 1, RuleName: 'red' },
    });
    expect(server.stats().entities['news/Subscriptions/all']).toMatchObject({ active: 1 });
  });
});

describe('two subscribers of one queue', () => {
  it('share its messages, and each message is handled once although handlers fail', async () => {
    const failing = new Set<number>();
    const handled: number[] = [];
    const receivers = [
      client.createReceiver('orders', unrenewed),
      client.createReceiver('orders', unrenewed),
    ];
    const total = 60;
    const all = new Promise<void>((resolve) => {
      for (const receiver of receivers)
        receiver.subscribe(
          {
            processMessage: async ({ body }) => {
              const n = body as number;
              if (n % 7 === 0 && !failing.has(n)) {
                failing.add(n);
                throw new Error('not now');
              }
              handled.push(n);
              if (handled.length === total) resolve();
              await Promise.resolve();
            },
            processError: () => Promise.resolve(),
          },
          // One at a time: the client merges the outcomes of neighbouring deliveries settled in one tick, even
          // an abandonment with completions.
          { maxConcurrentCalls: 1 },
        );
    });
    await client.createSender('orders').sendMessages(Array.from({ length: total }, (_, body) => ({ body })));
    await all;
    expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, n) => n));
    for (const receiver of receivers) await receiver.close();
    expect(server.stats().entities['orders']).toMatchObject({ dead: 0 });
  });
});
