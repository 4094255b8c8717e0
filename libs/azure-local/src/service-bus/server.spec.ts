import { Server } from 'node:net';
import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from './server.js';

let server: ServiceBusServer;
let client: ServiceBusClient;
let now = 0;

const retryOptions = { maxRetries: 0, timeoutInMs: 3000 };
const soon = { maxWaitTimeInMs: 2000 };
/** The SDK renews locks in real time; here time is the test's. */
const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };

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
              { Name: 'orders', Properties: { MaxDeliveryCount: 3 } },
              { Name: 'once', Properties: { RequiresDuplicateDetection: true } },
              { Name: 'perishable', Properties: { DeadLetteringOnMessageExpiration: true } },
              { Name: 'visits', Properties: { AutoDeleteOnIdle: 'PT5M' } },
            ],
            Topics: [
              {
                Name: 'news',
                Subscriptions: [
                  { Name: 'all' },
                  {
                    Name: 'sport',
                    Rules: [
                      {
                        Name: 'sport',
                        Properties: {
                          FilterType: 'Correlation',
                          CorrelationFilter: { Label: 'sport', Properties: { region: 'north' } },
                        },
                      },
                    ],
                  },
                ],
              },
            ],
          },
        ],
      },
    },
  });
  client = new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`,
    { retryOptions },
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

function forward(ms: number): void {
  now += ms;
  server.tick();
}

describe('a queue', () => {
  it('hands over what was sent, with its properties, and forgets what is completed', async () => {
    await client.createSender('orders').sendMessages({
      body: { item: 7 },
      messageId: 'order-7',
      correlationId: 'c',
      subject: 'new',
      contentType: 'application/json',
      replyTo: 'answers',
      to: 'somebody',
      applicationProperties: { priority: 3, express: true, name: 'ä' },
    });
    const receiver = client.createReceiver('orders', unrenewed);
    const message = await one(receiver);
    expect(message).toMatchObject({
      body: { item: 7 },
      messageId: 'order-7',
      correlationId: 'c',
      subject: 'new',
      contentType: 'application/json',
      replyTo: 'answers',
      to: 'somebody',
      applicationProperties: { priority: 3, express: true, name: 'ä' },
      deliveryCount: 0,
      state: 'active',
    });
    expect(message.enqueuedTimeUtc).toEqual(new Date(now));
    expect(message.lockedUntilUtc).toEqual(new Date(now + 60_000));
    await receiver.completeMessage(message);
    expect(server.stats().entities['orders']).toMatchObject({ active: 0, dead: 0 });
  });

  it('takes a batch apart', async () => {
    const sender = client.createSender('orders');
    const batch = await sender.createMessageBatch();
    for (let n = 0; n < 50; n++) batch.tryAddMessage({ body: n });
    await sender.sendMessages(batch);
    const messages = await client.createReceiver('orders', unrenewed).receiveMessages(50, soon);
    expect(messages.map(({ body }) => body as number)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('delivers an abandoned message again with the properties it was given', async () => {
    await client.createSender('orders').sendMessages({ body: 'x', applicationProperties: { a: 1 } });
    const receiver = client.createReceiver('orders', unrenewed);
    await receiver.abandonMessage(await one(receiver), { b: 'two' });
    const again = await one(receiver);
    expect(again).toMatchObject({ deliveryCount: 1, applicationProperties: { a: 1, b: 'two' } });
  });

  it('keeps what was dead-lettered, with the reason', async () => {
    await client.createSender('orders').sendMessages({ body: 'bad' });
    const receiver = client.createReceiver('orders', unrenewed);
    await receiver.deadLetterMessage(await one(receiver), {
      deadLetterReason: 'unparseable',
      deadLetterErrorDescription: 'no JSON',
      attempt: 2,
    });
    const letters = client.createReceiver('orders', { ...unrenewed, subQueueType: 'deadLetter' });
    const letter = await one(letters);
    expect(letter).toMatchObject({
      body: 'bad',
      deadLetterReason: 'unparseable',
      deadLetterErrorDescription: 'no JSON',
      applicationProperties: { attempt: 2 },
      deliveryCount: 0,
    });
    await expect(letters.deadLetterMessage(letter)).rejects.toMatchObject({ code: 'GeneralError' });
  });

  it('dead-letters a message that failed as often as is allowed', async () => {
    await client.createSender('orders').sendMessages({ body: 'poison' });
    const receiver = client.createReceiver('orders', unrenewed);
    for (let attempt = 0; attempt < 3; attempt++) await receiver.abandonMessage(await one(receiver));
    const letter = await one(client.createReceiver('orders', { ...unrenewed, subQueueType: 'deadLetter' }));
    expect(letter).toMatchObject({ deadLetterReason: 'MaxDeliveryCountExceeded', deliveryCount: 3 });
  });

  it('gives up a lock that was not renewed in time, and counts the delivery', async () => {
    await client.createSender('orders').sendMessages({ body: 'slow' });
    const receiver = client.createReceiver('orders', unrenewed);
    const message = await one(receiver);
    forward(60_001);
    await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await expect(receiver.renewMessageLock(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    expect(await one(receiver)).toMatchObject({ body: 'slow', deliveryCount: 1 });
  });

  it('keeps a lock that is renewed', async () => {
    await client.createSender('orders').sendMessages({ body: 'slow' });
    const receiver = client.createReceiver('orders', unrenewed);
    const message = await one(receiver);
    forward(50_000);
    expect(await receiver.renewMessageLock(message)).toEqual(new Date(now + 60_000));
    forward(50_000);
    await receiver.completeMessage(message);
    expect(server.stats().entities['orders']).toMatchObject({ active: 0 });
  });

  it('delivers a scheduled message when its time has come, and not before', async () => {
    const sender = client.createSender('orders');
    const due = new Date(now + 3_600_000);
    const [sequence] = await sender.scheduleMessages([{ body: 'later' }], due);
    await sender.sendMessages({ body: 'as well', scheduledEnqueueTimeUtc: due });
    expect(server.stats().entities['orders']).toMatchObject({ active: 0, scheduled: 2 });
    if (sequence === undefined) throw new Error('no sequence number');
    await sender.cancelScheduledMessages(sequence);
    await expect(sender.cancelScheduledMessages(sequence)).rejects.toMatchObject({ code: 'MessageNotFound' });
    forward(3_600_000);
    const message = await one(client.createReceiver('orders', unrenewed));
    expect(message).toMatchObject({ body: 'as well', state: 'active' });
    expect(message.enqueuedTimeUtc?.getTime()).toBeGreaterThanOrEqual(due.getTime());
  });

  it('drops the second of two messages with one id, but only within the window', async () => {
    const sender = client.createSender('once');
    await sender.sendMessages({ body: 1, messageId: 'same' });
    await sender.sendMessages({ body: 2, messageId: 'same' });
    expect(server.stats().entities['once']).toMatchObject({ active: 1 });
    forward(600_000);
    await sender.sendMessages({ body: 3, messageId: 'same' });
    expect(server.stats().entities['once']).toMatchObject({ active: 2 });
  });

  it('dead-letters what expires', async () => {
    await client.createSender('perishable').sendMessages({ body: 'milk', timeToLive: 1000 });
    forward(1000);
    const letter = await one(
      client.createReceiver('perishable', { ...unrenewed, subQueueType: 'deadLetter' }),
    );
    expect(letter).toMatchObject({ body: 'milk', deadLetterReason: 'TTLExpiredException' });
  });

  it('disappears when it allows no idling and nobody listens', async () => {
    const receiver = client.createReceiver('visits', unrenewed);
    await receiver.receiveMessages(1, { maxWaitTimeInMs: 1 });
    forward(600_000);
    expect(server.stats().entities).toHaveProperty('visits');
    await receiver.close();
    forward(300_001);
    expect(server.stats().entities).not.toHaveProperty('visits');
  });

  it('refuses a message that is too large without losing the link', async () => {
    const sender = client.createSender('orders');
    await expect(sender.sendMessages({ body: Buffer.alloc(300_000) })).rejects.toMatchObject({
      code: 'MessageSizeExceeded',
    });
    await sender.sendMessages({ body: Buffer.alloc(200_000, 7) });
    const large = await one(client.createReceiver('orders', unrenewed));
    expect(Buffer.alloc(200_000, 7).equals(large.body as Buffer)).toBe(true);
  });
});

describe('a topic', () => {
  it('copies a message to every subscription whose filter matches', async () => {
    const sender = client.createSender('news');
    await sender.sendMessages({ body: 1, subject: 'sport', applicationProperties: { region: 'north' } });
    await sender.sendMessages({ body: 2, subject: 'sport', applicationProperties: { region: 'south' } });
    await sender.sendMessages({ body: 3, subject: 'arts', applicationProperties: { region: 'north' } });
    const { entities } = server.stats();
    expect(entities['news/Subscriptions/all']).toMatchObject({ active: 3 });
    expect(entities['news/Subscriptions/sport']).toMatchObject({ active: 1 });
    expect(await one(client.createReceiver('news', 'sport', unrenewed))).toMatchObject({ body: 1 });
  });
});

describe('an entity that does not exist', () => {
  it('is told apart from a failure worth another try', async () => {
    const missing = { code: 'MessagingEntityNotFound', retryable: false };
    await expect(client.createSender('nowhere').sendMessages({ body: 1 })).rejects.toMatchObject(missing);
    const receiver = client.createReceiver('nowhere', unrenewed);
    await expect(receiver.receiveMessages(1, soon)).rejects.toMatchObject(missing);
    await expect(receiver.peekMessages(1)).rejects.toMatchObject(missing);
  });
});

describe('many messages through one link', () => {
  it('does not stall after the session window was used up several times', async () => {
    const sender = client.createSender('orders');
    const receiver = client.createReceiver('orders', unrenewed);
    const bodies = new Set<number>();
    const total = 4500; // more than twice the client's window of 2,048
    for (let sent = 0; sent < total; sent += 500)
      await sender.sendMessages(Array.from({ length: 500 }, (_, n) => ({ body: sent + n })));
    while (bodies.size < total) {
      const messages = await receiver.receiveMessages(500, soon);
      if (messages.length === 0) throw new Error(`stalled after ${bodies.size}`);
      for (const { body } of messages) bodies.add(body as number);
      await Promise.all(messages.map((message) => receiver.completeMessage(message)));
    }
    expect(server.stats().entities['orders']).toMatchObject({ active: 0, dead: 0 });
  });

  it('returns exactly as many as are there when the receiver drains', async () => {
    const sender = client.createSender('orders');
    await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }]);
    const receiver = client.createReceiver('orders', unrenewed);
    expect(await receiver.receiveMessages(10, { maxWaitTimeInMs: 500 })).toHaveLength(3);
    await sender.sendMessages([{ body: 4 }]);
    // Credit that had not been given back would have delivered the fourth already.
    expect(await receiver.receiveMessages(1, soon)).toMatchObject([{ body: 4 }]);
  });
});

describe('the port', () => {
  it('sends small writes at once: one that gathers them answers some clients 40 ms late', async () => {
    const listen = jest.spyOn(Server.prototype, 'listen');
    const another = await startServiceBus({ allowAnySas: true });
    // Whether a client ever waits depends on how it writes; Node turns it on in each socket that such a server accepts.
    const servers = listen.mock.contexts as readonly (Server & { readonly noDelay?: boolean })[];
    listen.mockRestore();
    await another.close();
    expect(servers.map(({ noDelay }) => noDelay)).toEqual([true]);
  });
});
