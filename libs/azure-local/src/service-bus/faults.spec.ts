import { ServiceBusClient, type ServiceBusReceiver } from '@azure/service-bus';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BusEffect, BusFault, BusOperation } from './faults.js';
import { startServiceBus, type ServiceBusServer } from './server.js';

let server: ServiceBusServer;
const clients: ServiceBusClient[] = [];

beforeEach(async () => {
  server = await startServiceBus({
    allowAnySas: true,
    topology: {
      UserConfig: {
        Namespaces: [{ Queues: [{ Name: 'orders' }, { Name: 'other' }] }],
      },
    },
  });
});

afterEach(async () => {
  server.faults.remove();
  for (const client of clients.splice(0)) await client.close();
  await server.close();
});

function connect(timeoutInMs = 3000): ServiceBusClient {
  const client = new ServiceBusClient(
    `Endpoint=sb://127.0.0.1:${server.port};SharedAccessKeyName=any;SharedAccessKey=any;UseDevelopmentEmulator=true`,
    { retryOptions: { maxRetries: 0, timeoutInMs } },
  );
  clients.push(client);
  return client;
}

const unrenewed = { maxAutoLockRenewalDurationInMs: 0 };
const soon = { maxWaitTimeInMs: 1000 };
const orders = () => server.stats().entities['orders'];

function plant(operation: BusOperation, effect: BusEffect, more: Partial<BusFault> = {}): string {
  return server.faults.add({ operation, target: 'orders', effect, ...more });
}

async function one(receiver: ServiceBusReceiver) {
  const [message] = await receiver.receiveMessages(1, soon);
  if (message === undefined) throw new Error('no message arrived');
  return message;
}

describe('a fault', () => {
  it('strikes what it names, after those it lets pass, as often as it was told, and says so', async () => {
    const id = plant('send', { kind: 'throttle' }, { skip: 1, count: 2, target: 'ORDERS' });
    const client = connect();
    const sender = client.createSender('orders');
    await client.createSender('other').sendMessages({ body: 0 });
    await sender.sendMessages({ body: 1 });
    const busy = { code: 'ServiceBusy', retryable: true };
    for (let n = 0; n < 2; n++) await expect(sender.sendMessages({ body: 2 })).rejects.toMatchObject(busy);
    await sender.sendMessages({ body: 3 });
    expect(orders()).toMatchObject({ active: 2 });
    expect(server.faults.list()).toMatchObject([{ id, struck: 2, spent: true, operation: 'send' }]);
    expect([server.faults.remove(id), server.faults.list()]).toEqual([1, []]);
  });

  it.each<[string, BusFault]>([
    ['operation', { operation: 'send', effect: { kind: 'lose-lock' } }],
    ['count', { count: 0, effect: { kind: 'outage' } }],
    ['skip', { skip: -1, effect: { kind: 'outage' } }],
    ['effect.ms', { effect: { kind: 'delay', ms: -1 } }],
    ['effect.kind', { effect: { kind: 'earthquake' } as unknown as BusEffect }],
  ])('that could never strike is refused with the name of the field: %s', (field, fault) => {
    expect(() => server.faults.add(fault)).toThrow(`${field}:`);
  });
});

describe('a send', () => {
  it('is refused with the condition that was ordered', async () => {
    plant('send', { kind: 'error', condition: 'amqp:not-allowed', description: 'No' });
    await expect(connect().createSender('orders').sendMessages({ body: 1 })).rejects.toThrow('No');
    expect(orders()).toMatchObject({ active: 0 });
  });

  it.each(['before', 'after'] as const)('lingers %s its effect', async (when) => {
    plant('send', { kind: 'delay', ms: 60, when });
    const started = performance.now();
    await connect().createSender('orders').sendMessages({ body: 2 });
    expect(performance.now() - started).toBeGreaterThan(50);
    expect(orders()).toMatchObject({ active: 1 });
  });

  it('takes effect although only its sender is cut off before the answer', async () => {
    const bystander = connect().createSender('other');
    await bystander.sendMessages({ body: 0 });
    plant('send', { kind: 'drop-after-effect' });
    await expect(connect(500).createSender('orders').sendMessages({ body: 1 })).rejects.toThrow();
    expect(orders()).toMatchObject({ active: 1 });
    await bystander.sendMessages({ body: 1 });
    expect(server.stats().connections).toBe(1);
  });

  it('takes effect and is never answered', async () => {
    plant('send', { kind: 'withhold-answer' });
    await expect(connect(300).createSender('orders').sendMessages({ body: 1 })).rejects.toThrow();
    expect(orders()).toMatchObject({ active: 1 });
  });

  it('is cut off without effect', async () => {
    plant('send', { kind: 'outage' });
    await expect(connect(300).createSender('orders').sendMessages({ body: 1 })).rejects.toThrow();
    expect(orders()).toMatchObject({ active: 0 });
  });

  it('loses its link', async () => {
    const sender = connect().createSender('orders');
    plant('send', { kind: 'detach', condition: 'com.microsoft:timeout' });
    await expect(sender.sendMessages({ body: 1 })).rejects.toMatchObject({ code: 'ServiceTimeout' });
    await sender.sendMessages({ body: 2 });
    expect(orders()).toMatchObject({ active: 1 });
  });

  it('waits with everybody else while the disk is slow', async () => {
    const [first, second] = [connect().createSender('orders'), connect().createSender('other')];
    await first.sendMessages({ body: 0 });
    await second.sendMessages({ body: 0 });
    plant('send', { kind: 'stall-writes', ms: 80 });
    const started = performance.now();
    const slow = first.sendMessages({ body: 1 });
    await Promise.all([slow, second.sendMessages({ body: 1 })]);
    expect(performance.now() - started).toBeGreaterThan(70);
  });
});

describe('a delivery', () => {
  it('arrives twice, and only the second can be settled', async () => {
    plant('receive', { kind: 'duplicate-delivery' });
    const client = connect();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders', unrenewed);
    const [first, second] = await receiver.receiveMessages(2, soon);
    if (first === undefined || second === undefined) throw new Error('not twice');
    expect([first.body, second.body, second.deliveryCount]).toEqual([1, 1, 1]);
    await expect(receiver.completeMessage(first)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await receiver.completeMessage(second);
    expect(orders()).toMatchObject({ active: 0 });
  });

  it('has lost its lock on arrival', async () => {
    plant('receive', { kind: 'lose-lock' });
    const client = connect();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders', unrenewed);
    const message = await one(receiver);
    await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    await receiver.completeMessage(await one(receiver));
  });

  it('is locked and does not arrive', async () => {
    plant('receive', { kind: 'withhold-answer' });
    const client = connect();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders', unrenewed);
    expect(await receiver.receiveMessages(1, { maxWaitTimeInMs: 200 })).toEqual([]);
    server.faults.expireLocks('orders');
    expect(await one(receiver)).toMatchObject({ deliveryCount: 1 });
  });

  it.each(['before', 'after'] as const)('lingers %s it is locked', async (when) => {
    plant('receive', { kind: 'delay', ms: 60, when });
    const client = connect();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders', unrenewed);
    const started = performance.now();
    await receiver.completeMessage(await one(receiver));
    expect(performance.now() - started).toBeGreaterThan(50);
  });

  it('finds its link detached when the namespace is busy', async () => {
    plant('receive', { kind: 'throttle' });
    const client = connect();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders', unrenewed);
    await expect(receiver.receiveMessages(1, soon)).rejects.toMatchObject({ code: 'ServiceBusy' });
    expect(await one(receiver)).toMatchObject({ deliveryCount: 0 });
  });
});

describe('a settlement, a management request, an attach and a token', () => {
  it('meet faults of their own', async () => {
    const client = connect();
    await client.createSender('orders').sendMessages([{ body: 1 }, { body: 2 }]);
    const receiver = client.createReceiver('orders', unrenewed);
    const message = await one(receiver);
    plant('settle', { kind: 'error', condition: 'com.microsoft:message-lock-lost' });
    await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
    expect(orders()).toMatchObject({ active: 2 });
    plant('manage', { kind: 'throttle' });
    await expect(receiver.peekMessages(1)).rejects.toMatchObject({ code: 'ServiceBusy' });
    plant('attach', { kind: 'error', condition: 'amqp:not-allowed' });
    await expect(client.createSender('orders').sendMessages({ body: 3 })).rejects.toMatchObject({
      retryable: false,
    });
    plant('authenticate', { kind: 'error', condition: 'amqp:unauthorized-access' });
    await expect(client.createSender('orders').sendMessages({ body: 3 })).rejects.toMatchObject({
      code: 'UnauthorizedAccess',
    });
    expect(server.faults.list().map(({ struck }) => struck)).toEqual([1, 1, 1, 1]);
  });

  it('may all be refused for as long as tokens are', async () => {
    server.faults.refuseTokens(true);
    const client = connect();
    const refused = { code: 'UnauthorizedAccess' };
    await expect(client.createSender('orders').sendMessages({ body: 1 })).rejects.toMatchObject(refused);
    server.faults.refuseTokens(false);
    await client.createSender('orders').sendMessages({ body: 1 });
  });
});

describe('an outage of everything', () => {
  it('keeps new connections out while it lasts', async () => {
    const id = server.faults.add({ count: 'unlimited', effect: { kind: 'outage' } });
    const client = connect();
    await expect(client.createSender('orders').sendMessages({ body: 1 })).rejects.toThrow();
    server.faults.remove(id);
    await client.createSender('orders').sendMessages({ body: 1 });
    expect(orders()).toMatchObject({ active: 1 });
  });
});

describe('a request to the administration', () => {
  const get = () =>
    fetch(`http://127.0.0.1:${server.port}/orders`, {
      headers: { authorization: 'SharedAccessSignature x' },
    });

  it('meets faults as well', async () => {
    plant('administer', { kind: 'throttle' });
    const busy = await get();
    expect([busy.status, await busy.text()]).toEqual([503, expect.stringContaining('50009')]);
    plant('administer', { kind: 'drop-after-effect' });
    await expect(get()).rejects.toThrow();
    plant('administer', { kind: 'delay', ms: 60, when: 'after' });
    const started = performance.now();
    expect((await get()).status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(50);
  });
});

describe('locks', () => {
  it('end at once on order', async () => {
    const client = connect();
    await client.createSender('orders').sendMessages({ body: 1 });
    const receiver = client.createReceiver('orders', unrenewed);
    const message = await one(receiver);
    server.faults.expireLocks('orders');
    await expect(receiver.completeMessage(message)).rejects.toMatchObject({ code: 'MessageLockLost' });
  });
});
