import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startServiceBus, type ServiceBusServer } from '@twinkey/azure-local';
import { emulatorConfig, PermanentFault, topology, TransientFault } from '@twinkey/contracts';
import { until } from '@twinkey/testing';
import type { Bus, OutgoingMessage, ReceivedMessage, Receiving } from './bus.js';
import { connectBus } from './connection.js';
import { settlementOf, type Settlement } from './settlement.js';

const queue = { queue: 'rotation-due' };
type Entities = Parameters<typeof startServiceBus>[0]['topology'];
const entities = emulatorConfig(topology({ shards: 1 })) as Entities;

let server: ServiceBusServer;
let bus: Bus;
let lines: string[];

const connectionTo = (port: number) =>
  `Endpoint=sb://127.0.0.1:${port};SharedAccessKeyName=root;SharedAccessKey=secret;UseDevelopmentEmulator=true`;

const start = (port = 0) => startServiceBus({ port, allowAnySas: true, topology: entities ?? never() });
const never = (): never => {
  throw new Error('no topology');
};

beforeEach(async () => {
  server = await start();
  lines = [];
  const note = (_fields: object, message: string) => void lines.push(message);
  bus = connectBus({ connectionString: connectionTo(server.port) }, undefined, {
    log: { info: note, warn: note },
  });
});

afterEach(async () => {
  await bus.close();
  await server.close();
});

const message = (id: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  id,
  body: { id },
  ...more,
});

/** Receives into a list, settling as `settle` says. */
async function collect(
  settle: (message: ReceivedMessage) => Settlement | Promise<Settlement>,
  source: Parameters<Bus['receive']>[0] = queue,
): Promise<ReceivedMessage[] & { receiving: Receiving }> {
  const got: ReceivedMessage[] = [];
  const receiving = await bus.receive(source, { maxConcurrent: 8 }, async (received) => {
    got.push(received);
    return settle(received);
  });
  return Object.assign(got, { receiving });
}

const complete = (): Settlement => ({ settle: 'complete' });
const stats = (entity = 'rotation-due') => server.stats().entities[entity];

describe('messages whose handlers end in the same moment', () => {
  it('each get their own settlement, with their own reason', async () => {
    let release: () => void = () => undefined;
    const together = new Promise<void>((resolve) => (release = resolve));
    const got = await collect(async ({ id }) => {
      await together;
      const number = Number(id.slice(2));
      return number % 2 === 0
        ? complete()
        : { settle: 'dead-letter', reason: `Reason${number}`, description: id };
    });
    await bus.send(
      'rotation-due',
      Array.from({ length: 8 }, (_, index) => message(`m-${index}`)),
    );
    await until(() => got.length === 8);
    release();
    await until(() => stats()?.active === 0);
    const dead = await bus.deadLetters(queue).list({ max: 20 });
    expect(dead.map(({ id, reason }) => ({ id, reason }))).toEqual(
      [1, 3, 5, 7].map((number) => ({ id: `m-${number}`, reason: `Reason${number}` })),
    );
  });
});

describe('a message sent', () => {
  it('arrives with its body, subject, trace and count', async () => {
    const got = await collect(complete);
    await bus.send('rotation-due', [
      message('m-1', { subject: 'contoso-speech', traceparent: '00-1-2-01', body: { type: 't', n: 1 } }),
    ]);
    await until(() => got.length === 1);
    expect(got[0]).toMatchObject({
      id: 'm-1',
      subject: 'contoso-speech',
      traceparent: '00-1-2-01',
      deliveryCount: 1,
      body: { type: 't', n: 1 },
    });
    await until(() => stats()?.active === 0);
    expect(stats()?.dead).toBe(0);
  });

  it('twice under one id arrives once', async () => {
    await bus.send('rotation-due', [message('same'), message('same'), message('other')]);
    const got = await collect(complete);
    await until(() => got.length === 2);
    expect(got.map(({ id }) => id)).toEqual(['same', 'other']);
  });

  it('with thousands of others at once arrives as fast as they do', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => message(`m-${index}`));
    await Promise.all(many.map((one) => bus.send('rotation-due', [one])));
    expect(stats()?.active).toBe(3_000);
  });

  it('in one call with more than fits into a transfer keeps its place', async () => {
    const padding = 'x'.repeat(20_000);
    const many = Array.from({ length: 40 }, (_, index) => message(`m-${index}`, { body: { padding } }));
    await bus.send('rotation-due', many);
    const got = await collect(complete);
    await until(() => got.length === 40);
    expect(got.map(({ id }) => id)).toEqual(many.map(({ id }) => id));
  });

  it('that is too large is refused by name', async () => {
    const huge = message('huge', { body: 'x'.repeat(400_000) });
    await expect(bus.send('rotation-due', [message('m-1'), huge])).rejects.toMatchObject({
      name: 'PermanentFault',
      code: 'message-too-large',
    });
  });

  it('to an entity that does not exist is refused with the remedy', async () => {
    await expect(bus.send('nowhere', [message('m-1')])).rejects.toMatchObject({
      code: 'bus-entity-missing',
      remedy: expect.stringContaining('topology'),
    });
  });
});

describe('a handler that fails', () => {
  it('never completes its message; the last delivery leaves its words with the dead letter', async () => {
    const got = await collect(({ deliveryCount }) => {
      const settlement = settlementOf({ threw: new Error('the abacus fell over') }, deliveryCount);
      return settlement.settle === 'redeliver' ? { settle: 'redeliver', delayMs: 1 } : settlement;
    });
    await bus.send('rotation-due', [message('m-1')]);
    await until(() => stats()?.dead === 1);
    expect(got.map(({ deliveryCount }) => deliveryCount)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const [dead] = await bus.deadLetters(queue).list({ max: 10 });
    expect(dead).toMatchObject({
      id: 'm-1',
      reason: 'DeliveriesExhausted',
      description: 'Error: the abacus fell over',
      body: { id: 'm-1' },
    });
  });

  it('by rejecting is settled by the rule', async () => {
    await collect(() => Promise.reject(new PermanentFault('gone', 'It is gone.')));
    await bus.send('rotation-due', [message('m-1')]);
    await until(() => stats()?.dead === 1);
    const [dead] = await bus.deadLetters(queue).list({ max: 10 });
    expect(dead).toMatchObject({ reason: 'gone', description: 'It is gone.' });
  });

  it('for a while does not keep other messages from being handled', async () => {
    const failed = new Set<string>();
    const got = await collect(({ id }) => {
      if (!id.startsWith('bad')) return complete();
      failed.add(id);
      return settlementOf({ threw: new TransientFault('x', 'y', { retryAfterMs: 20_000 }) }, 1);
    });
    await bus.send(
      'rotation-due',
      Array.from({ length: 20 }, (_, index) => message(`bad-${index}`)),
    );
    await until(() => failed.size === 20);
    await bus.send('rotation-due', [message('good')]);
    await until(() => got.some(({ id }) => id === 'good'));
    expect(stats()).toMatchObject({ dead: 0 });
  });
});

describe('a receiver that closes', () => {
  it('lets the handler end and settles its message', async () => {
    let finish: () => void = () => undefined;
    const got = await collect(async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      return complete();
    });
    await bus.send('rotation-due', [message('m-1')]);
    await until(() => got.length === 1);
    const closed = got.receiving.close();
    await until(() => got[0]?.abandoned.aborted);
    finish();
    await closed;
    expect(stats()).toMatchObject({ active: 0, dead: 0 });
  });

  it('gives back what waits for its next delivery, and loses nothing', async () => {
    const got = await collect(() => ({ settle: 'redeliver', delayMs: 30_000 }));
    await bus.send('rotation-due', [message('m-1'), message('m-2')]);
    await until(() => got.length === 2);
    await got.receiving.close();
    const again = await collect(complete);
    await until(() => again.length === 2);
    expect(again.map(({ deliveryCount }) => deliveryCount)).toEqual([2, 2]);
  });
});

describe('a lock that is lost', () => {
  it('tells the handler, and leaves the message to the next delivery', async () => {
    const got = await collect(({ deliveryCount }) => {
      if (deliveryCount > 1) return complete();
      server.faults.expireLocks('rotation-due');
      return complete();
    });
    await bus.send('rotation-due', [message('m-1')]);
    await until(() => got.length === 2);
    await until(() => stats()?.active === 0);
    expect(got[1]?.deliveryCount).toBe(2);
  });
});

describe('a connection that breaks', () => {
  it('while a handler runs loses nothing', async () => {
    const handled: string[] = [];
    let finish: () => void = () => undefined;
    const broken = new Promise<void>((resolve) => (finish = resolve));
    await collect(async ({ id }) => {
      handled.push(id);
      await broken;
      return complete();
    });
    await bus.send('rotation-due', [message('m-1')]);
    await until(() => handled.length === 1);
    expect(server.faults.dropConnections()).toBeGreaterThan(0);
    finish();
    await bus.send('rotation-due', [message('m-2')]);
    await until(() => stats()?.active === 0);
    expect(stats()?.dead).toBe(0);
    expect(handled).toEqual(['m-1', 'm-2']);
  });
});

describe('a broker that was away', () => {
  it('is used again as soon as it is back, with one line for going and one for coming', async () => {
    const got = await collect(complete);
    await bus.send('rotation-due', [message('m-1')]);
    await until(() => got.length === 1 && stats()?.active === 0);
    const { port } = server;
    await server.close();
    await expect(bus.send('rotation-due', [message('m-2')])).rejects.toMatchObject({
      name: 'TransientFault',
    });
    await until(() => lines.length > 0, { withinMs: 60_000 });
    server = await start(port);
    await until(() => bus.send('rotation-due', [message('m-3')]).then(() => true), { withinMs: 60_000 });
    await until(() => got.length === 2, { withinMs: 60_000 });
    expect(lines).toEqual(['Receiving is interrupted; trying again until it works', 'Receiving works again']);
  });

  it('is reported as unreachable by a ping, without hanging', async () => {
    await bus.ping(queue);
    const { port } = server;
    await server.close();
    await expect(bus.ping(queue)).rejects.toMatchObject({ name: 'TransientFault', code: 'bus-unreachable' });
    server = await start(port);
    await until(() => bus.ping(queue).then(() => true));
  });
});

describe('dead letters', () => {
  const bury = async (...ids: string[]) => {
    const { receiving } = await collect(() => ({
      settle: 'dead-letter',
      reason: 'test',
      description: 'buried',
    }));
    await bus.send(
      'rotation-due',
      ids.map((id) => message(id)),
    );
    await until(() => stats()?.dead === ids.length);
    await receiving.close();
  };

  it('are listed from any place on', async () => {
    await bury('m-1', 'm-2', 'm-3');
    const letters = bus.deadLetters(queue);
    const all = await letters.list({ max: 10 });
    expect(all.map(({ id }) => id)).toEqual(['m-1', 'm-2', 'm-3']);
    const from = all[1]?.sequenceNumber ?? never();
    expect((await letters.list({ max: 10, from })).map(({ id }) => id)).toEqual(['m-2', 'm-3']);
    expect((await letters.list({ max: 1 })).map(({ id }) => id)).toEqual(['m-1']);
  });

  it('are replayed one by one, with the body they had', async () => {
    await bury('m-1', 'm-2', 'm-3');
    const letters = bus.deadLetters(queue);
    const [, second] = await letters.list({ max: 10 });
    const number = second?.sequenceNumber ?? never();
    const got = await collect(complete);
    expect(await letters.replay({ sequenceNumbers: [number, '999999'] })).toEqual([
      { sequenceNumber: number, id: 'm-2', sentAs: `m-2~${number}`, outcome: 'replayed' },
      { sequenceNumber: '999999', id: '', outcome: 'not-found' },
    ]);
    await until(() => got.length === 1);
    expect(got[0]).toMatchObject({ id: `m-2~${number}`, body: { id: 'm-2' }, deliveryCount: 1 });
    expect((await letters.list({ max: 10 })).map(({ id }) => id)).toEqual(['m-1', 'm-3']);
  });

  it('that fail again are not replayed for ever', async () => {
    await bury('m-1', 'm-2');
    const again = await collect(() => ({
      settle: 'dead-letter',
      reason: 'test',
      description: 'buried again',
    }));
    const done = await bus.deadLetters(queue).replay({ all: true });
    expect(done).toHaveLength(2);
    await until(() => stats()?.dead === 2);
    expect(again).toHaveLength(2);
  });
});

describe('subscriptions made at run time', () => {
  it('receive what is sent after they were made, and can be made and removed again and again', async () => {
    const source = { topic: 'key-changed-0', subscription: 'i-0123456789abcdef' };
    for (let round = 0; round < 2; round += 1) {
      await bus.subscriptions.ensure(source.topic, source.subscription, { autoDeleteOnIdleSeconds: 300 });
      await bus.subscriptions.ensure(source.topic, source.subscription);
      const got = await collect(complete, source);
      await bus.send('key-changed-0', [message(`m-${round}`)]);
      await until(() => got.length === 1);
      await got.receiving.close();
      await bus.subscriptions.remove(source.topic, source.subscription);
      await bus.subscriptions.remove(source.topic, source.subscription);
    }
  });
});

describe('settings that cannot work', () => {
  it('are refused without repeating the secret in them', () => {
    const connect = () => connectBus({ connectionString: 'Endpoint=sb://x;SharedAccessKey=hush' });
    expect(connect).toThrow(PermanentFault);
    expect(connect).not.toThrow(/hush/);
    expect(() => connectBus({ namespace: 'x.servicebus.windows.net' })).toThrow(/credential/);
  });
});
