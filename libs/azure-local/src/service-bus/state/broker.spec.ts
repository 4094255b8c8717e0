import { describe, expect, it } from '@jest/globals';
import * as put from '../amqp/put.js';
import { Broker } from './broker.js';
import type { QueueSettings } from './entity.js';
import { readMessage, type Message } from './message.js';
import type { Queue } from './queue.js';
import { deadLetterProperties } from './stamps.js';
import type { Change, Stored } from './stored.js';

function message(id: string, o: { session?: string; ttlMs?: number; at?: number } = {}): Message {
  let made = readMessage(Buffer.alloc(0)).withProperties({
    messageId: put.string(id),
    ...(o.session !== undefined && { groupId: put.string(o.session) }),
  });
  if (o.ttlMs !== undefined) made = made.withTtl(o.ttlMs);
  return o.at === undefined
    ? made
    : made.withAnnotations({ 'x-opt-scheduled-enqueue-time': put.timestamp(o.at) });
}

function given(settings: Partial<QueueSettings> = {}) {
  let token = 0;
  const changes: Change['kind'][] = [];
  const gone: string[] = [];
  const broker = new Broker({
    note: (change) => changes.push(change.kind),
    available: () => undefined,
    gone: (queue) => gone.push(queue.path),
    newToken: () => Buffer.alloc(16, ++token),
    newId: () => 'made-up',
  });
  const queue = broker.createQueue('Orders', settings, 0);
  const send = (sent: Message, now: number) => broker.send({ kind: 'queue', queue }, sent, now);
  return { broker, queue, send, changes, gone };
}

function take(queue: Queue, now: number): Stored {
  const stored = queue.take(now, false);
  if (stored === undefined) throw new Error('there is no message');
  return stored;
}

function lockOf(stored: Stored) {
  if (stored.lock === undefined) throw new Error('the message is not locked');
  return stored.lock;
}

const ids = (queue: Queue | undefined) =>
  [...(queue?.messages.values() ?? [])].map((each) => each.message.messageId);

describe('an address', () => {
  it('leads to its entity in any case, with a leading slash or as a URI', () => {
    const { broker } = given();
    broker.createTopic('Area/News', {}, 0);
    broker.createSubscription('area/news', 'All', {}, undefined, 0);
    for (const address of ['orders', '/ORDERS', 'amqps://host:5671/orders', 'sb://host/Orders/'])
      expect(broker.find(address)).toMatchObject({ kind: 'queue', queue: { path: 'Orders' } });
    expect(broker.find('AREA/news')).toMatchObject({ kind: 'topic' });
    expect(broker.find('area/news/subscriptions/all/$deadletterqueue')).toMatchObject({
      queue: { path: 'Area/News/Subscriptions/All/$DeadLetterQueue' },
    });
    expect(broker.find('orders/$DeadLetterQueue/$DeadLetterQueue')).toBeUndefined();
    expect(broker.find('area')).toBeUndefined();
  });
});

describe('a lock', () => {
  it('ends at its time and not before, and the message returns to its place', () => {
    const { broker, queue, send } = given();
    send(message('a'), 0);
    send(message('b'), 0);
    const a = take(queue, 0);
    broker.advance(59_999);
    expect(a.lock).toBeDefined();
    broker.advance(60_000);
    expect(take(queue, 60_000)).toMatchObject({ sequence: 1, deliveryCount: 1 });
  });

  it('that was renewed outlasts one that was not', () => {
    const { broker, queue, send } = given();
    send(message('a'), 0);
    send(message('b'), 0);
    const [a, b] = [take(queue, 0), take(queue, 0)];
    queue.renew(a, 30_000);
    broker.advance(60_000);
    expect([a.lock === undefined, b.lock === undefined]).toEqual([false, true]);
    expect(broker.nextDue).toBe(90_000);
  });

  it('that is over settles nothing', () => {
    const { queue, send } = given();
    send(message('a'), 0);
    const a = take(queue, 0);
    const lock = lockOf(a);
    expect(() => {
      queue.complete(a, lock, 60_000);
    }).toThrow('lock supplied is invalid');
    queue.abandon(a, lock, 1);
    const again = take(queue, 2);
    expect(() => {
      queue.complete(again, lock, 3);
    }).toThrow('lock supplied is invalid');
  });
});

describe('a message with a time to live', () => {
  it('is not delivered after it, even if it was locked meanwhile', () => {
    const { broker, queue, send } = given({ deadLetterOnExpiration: true });
    send(message('a', { ttlMs: 1000 }), 0);
    const a = take(queue, 500);
    broker.advance(2000);
    expect(a.lock).toBeDefined();
    queue.abandon(a, lockOf(a), 2000);
    expect(queue.take(2000, false)).toBeUndefined();
    expect(ids(queue.deadLetters)).toEqual(['a']);
  });

  it('lives no longer than its queue allows, and vanishes where nobody wants it', () => {
    const { broker, queue, send } = given({ defaultTtlMs: 100 });
    send(message('a', { ttlMs: 1000 }), 0);
    broker.advance(100);
    expect([queue.messages.size, queue.deadLetters?.messages.size]).toEqual([0, 0]);
  });

  it('counts it from the time it was scheduled for', () => {
    const { broker, queue, send } = given();
    send(message('a', { ttlMs: 1000, at: 5000 }), 0);
    broker.advance(5999);
    expect(take(queue, 5999)).toMatchObject({ sequence: 2, firstSequence: 1, enqueuedAt: 5999 });
  });
});

describe('a dead-letter queue', () => {
  it('keeps count and number, and its messages neither expire nor run out of deliveries', () => {
    const { broker, queue, send } = given({ maxDeliveryCount: 1, defaultTtlMs: 1000 });
    send(message('a'), 0);
    const a = take(queue, 0);
    queue.deadLetter(a, lockOf(a), 0, deadLetterProperties('r', 'd'));
    const letters = queue.deadLetters;
    if (letters === undefined) throw new Error('no dead-letter queue');
    for (let n = 0; n < 5; n++) {
      const letter = take(letters, n);
      expect(letter).toMatchObject({ sequence: 1, deliveryCount: 0 });
      letters.abandon(letter, lockOf(letter), n);
    }
    broker.advance(1_000_000);
    expect(ids(letters)).toEqual(['a']);
  });
});

describe('duplicate detection', () => {
  it('remembers ids for the window only, so that memory does not grow', () => {
    const { broker, queue, send } = given({ requiresDuplicateDetection: true, duplicateWindowMs: 1000 });
    for (let n = 0; n < 5000; n++) {
      send(message(`m${n}`), n);
      send(message(`m${n}`), n);
    }
    expect(queue.messages.size).toBe(5000);
    expect(queue.remembered.size).toBeLessThanOrEqual(1000);
    broker.advance(10_000);
    send(message('last'), 10_000);
    expect(queue.remembered.size).toBe(1);
  });
});

describe('an entity that deletes itself when idle', () => {
  it('stays while somebody receives or uses it, and goes after', () => {
    const { broker, queue, send, gone } = given({ autoDeleteOnIdleMs: 1000 });
    broker.advance(900);
    send(message('a'), 900);
    broker.advance(1800);
    expect(broker.find('orders')).toBeDefined();
    queue.receivers++;
    broker.advance(50_000);
    expect(broker.find('orders')).toBeDefined();
    queue.receivers--;
    broker.advance(51_000);
    expect(broker.find('orders')).toBeUndefined();
    expect(gone).toEqual(['Orders', 'Orders/$DeadLetterQueue']);
  });
});

describe('a topic with many subscriptions', () => {
  it('tells the journal once about copies that share their bytes', () => {
    const { broker, changes } = given();
    const topic = broker.createTopic('news', {}, 0);
    for (let n = 0; n < 2000; n++) broker.createSubscription('news', `s${n}`, {}, undefined, 0);
    expect(() => broker.createSubscription('news', 'one-more', {}, undefined, 0)).toThrow('at most 2,000');
    changes.length = 0;
    broker.send({ kind: 'topic', topic }, message('a'), 0);
    expect(changes).toEqual(['numbered', 'enqueued']);
    expect(broker.stores().filter((store) => store.messages.size === 1)).toHaveLength(2000);
  });
});

describe('time', () => {
  it('is spent on the stores in which something is due, not on all there are', () => {
    const { broker, queue, send } = given();
    for (let n = 0; n < 500; n++) broker.createQueue(`q${n}`, {}, 0);
    let looks = 0;
    for (const store of broker.stores()) {
      const advance = store.advance.bind(store);
      store.advance = (now) => {
        looks++;
        advance(now);
      };
    }
    for (let n = 0; n < 10; n++) {
      send(message(`m${n}`, { ttlMs: 10 }), n * 100);
      broker.advance(n * 100 + 10);
    }
    expect(looks).toBe(10);
    expect(queue.messages.size).toBe(0);
  });
});
