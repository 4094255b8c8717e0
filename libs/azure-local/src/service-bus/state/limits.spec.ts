import { describe, expect, it } from '@jest/globals';
import { bytesOf, string } from '../amqp/put.js';
import { brokerAlone, idsIn, messageWith, takeFrom } from '../../testing/broker-alone.js';
import { deadLetterProperties } from './stamps.js';

describe('the size of an entity', () => {
  it('is limited, counted with its dead letters, and free again when they are gone', () => {
    const { broker, send, at } = brokerAlone();
    const queue = broker.createQueue('q', { maxSizeInMegabytes: 1 }, 0);
    const large = (id: string) => messageWith(id, { bytes: 200_000 });
    for (let n = 0; n < 5; n++) send('q', large(`m${n}`), 0);
    const stored = takeFrom(queue, 0);
    queue.deadLetter(stored, stored.lock, 0, new Map());
    expect(() => send('q', large('more'), 0)).toThrow(
      expect.objectContaining({ condition: 'amqp:resource-limit-exceeded', status: 403 }),
    );
    expect(() => send('q', large('more'), 0)).toThrow('size of 1 MB has been reached or exceeded');
    at('q/$DeadLetterQueue').take(0, true);
    send('q', large('more'), 0);
    for (let n = 0; n < 5; n++) queue.take(0, true);
    expect(queue.bytes).toBe(0);
  });

  it('is, for a topic, that of its messages and not of their copies', () => {
    const { broker, send, at } = brokerAlone();
    broker.createTopic('news', { maxSizeInMegabytes: 1 }, 0);
    for (let n = 0; n < 20; n++) broker.createSubscription('news', `s${n}`, {}, undefined, 0);
    for (let n = 0; n < 5; n++) send('news', messageWith(`m${n}`, { bytes: 200_000 }), 0);
    expect(() => send('news', messageWith('more', { bytes: 200_000 }), 0)).toThrow('1 MB');
    for (let n = 0; n < 20; n++) broker.delete(`news/Subscriptions/s${n}`);
    expect(at('news').bytes).toBeCloseTo(0);
  });

  it('stops a batch as a whole', () => {
    const { broker, at } = brokerAlone();
    const queue = broker.createQueue('q', { maxSizeInMegabytes: 1 }, 0);
    const batch = Array.from({ length: 6 }, (_, n) => messageWith(`m${n}`, { bytes: 200_000 }));
    expect(() => broker.sendAll({ kind: 'queue', queue }, batch, 0)).toThrow('1 MB');
    expect(idsIn(at('q'))).toEqual([]);
  });
});

describe('a message', () => {
  it.each([
    ['a message id', { id: 'x'.repeat(129) }, 'message id has 129 characters'],
    ['a session id', { id: 'm', session: 'x'.repeat(129) }, 'session id has 129'],
    ['a partition key', { id: 'm', partitionKey: 'x'.repeat(129) }, 'partition key has 129'],
  ])('is refused with %s that is too long', (_what, { id, ...more }, reason) => {
    const { broker, send } = brokerAlone();
    broker.createQueue('q', {}, 0);
    expect(() => send('q', messageWith(id, more), 0)).toThrow(reason);
    send('q', messageWith('x'.repeat(128)), 0);
  });

  it('is no larger than its entity allows', () => {
    const { broker, send } = brokerAlone();
    broker.createQueue('q', { maxMessageSizeInKilobytes: 1 }, 0);
    expect(() => send('q', messageWith('m', { bytes: 1100 }), 0)).toThrow(
      'larger than the limit of 1024 bytes',
    );
    send('q', messageWith('m', { bytes: 900 }), 0);
  });

  it('is not sent to dead letters, a subscription or what is deleted', () => {
    const { broker, send, at } = brokerAlone();
    const queue = broker.createQueue('q', {}, 0);
    broker.createTopic('t', {}, 0);
    broker.createSubscription('t', 's', {}, undefined, 0);
    for (const address of ['q/$DeadLetterQueue', 'q/$Transfer/$DeadLetterQueue', 't/Subscriptions/s'])
      expect(() => send(address, messageWith('m'), 0)).toThrow('sent to queues and topics');
    broker.delete('q');
    expect(() => broker.send({ kind: 'queue', queue }, messageWith('m'), 0)).toThrow('could not be found');
    expect(at('t').messages.size).toBe(0);
  });

  it('is dead-lettered for a reason of at most 4,096 characters', () => {
    const { broker, send } = brokerAlone();
    const queue = broker.createQueue('q', {}, 0);
    send('q', messageWith('m'), 0);
    const stored = takeFrom(queue, 0);
    const because = (length: number) => new Map([['DeadLetterReason', bytesOf(string('x'.repeat(length)))]]);
    expect(() => {
      queue.deadLetter(stored, stored.lock, 0, because(4097));
    }).toThrow('DeadLetterReason has 4097 characters');
    queue.deadLetter(stored, stored.lock, 0, because(4096));
    expect(deadLetterProperties('x'.repeat(5000), '').get('DeadLetterReason')?.length).toBe(4096 + 5);
  });
});

describe('a name', () => {
  it.each([
    '',
    '-q',
    'q-',
    'a//b',
    'a b',
    'q$',
    'x'.repeat(261),
    't/Subscriptions/s',
    'q/$DeadLetterQueue',
    'ä',
  ])('of an entity cannot be %j', (name) => {
    expect(() => brokerAlone().broker.createQueue(name, {}, 0)).toThrow('not a valid name of an entity');
  });

  it.each(['q', 'a/b.c-d_e', 'Q1', 'x'.repeat(260)])('of an entity can be %j', (name) => {
    expect(brokerAlone().broker.createQueue(name, {}, 0).path).toBe(name);
  });

  it('of a subscription or rule has at most 50 characters', () => {
    const { broker } = brokerAlone();
    broker.createTopic('t', {}, 0);
    expect(() => broker.createSubscription('t', 's'.repeat(51), {}, undefined, 0)).toThrow('1 to 50');
    const subscription = broker.createSubscription('t', 's'.repeat(50), {}, undefined, 0);
    const rule = { filter: { kind: 'sql', expression: 'a = 1' }, createdAt: 0 } as const;
    expect(() => {
      subscription.addRule({ ...rule, name: 'r'.repeat(51) });
    }).toThrow('1 to 50');
  });
});

describe('a topic', () => {
  it('has at most 2,000 SQL filters, however they come and go', () => {
    const { broker } = brokerAlone();
    broker.createTopic('t', {}, 0);
    const subscription = broker.createSubscription('t', 's', {}, undefined, 0);
    const rule = (n: number) =>
      ({ name: `r${n}`, filter: { kind: 'sql', expression: `a = ${n}` }, createdAt: 0 }) as const;
    for (let n = 0; n < 2000; n++) subscription.addRule(rule(n));
    expect(() => {
      subscription.addRule(rule(2000));
    }).toThrow('at most 2,000 SQL filters');
    subscription.replaceRule(rule(7));
    subscription.removeRule('r7');
    subscription.addRule(rule(2000));
    broker.delete('t/Subscriptions/s');
    broker.createSubscription('t', 'other', {}, { name: 'x', filter: { kind: 'sql', expression: 'a=1' } }, 0);
  });
});
