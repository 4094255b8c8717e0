import { describe, expect, it } from '@jest/globals';
import { deadLetterProperties } from './stamps.js';
import type { Stored } from './stored.js';
import { brokerAlone, idsIn, messageWith, takeFrom } from '../../testing/broker-alone.js';

describe('sequence numbers', () => {
  it('are never given twice, whether a message is delivered or among the dead letters', () => {
    const { broker, send, at } = brokerAlone();
    broker.createTopic('news', {}, 0);
    broker.createSubscription(
      'news',
      's',
      {},
      { name: 'fails', filter: { kind: 'sql', expression: 'sys.Label * 2 = 4' } },
      0,
    );
    const letters = at('news/Subscriptions/s/$DeadLetterQueue');
    for (let n = 0; n < 3; n++)
      send(
        'news',
        messageWith(`bad-${n}`).withProperties({
          subject: (to) => {
            to.string('x');
          },
        }),
        0,
      );
    const subscription = broker.subscription('news/Subscriptions/s');
    subscription?.removeRule('fails');
    subscription?.addRule({ name: 'all', filter: { kind: 'sql', expression: '1=1' }, createdAt: 0 });
    for (let n = 0; n < 3; n++) send('news', messageWith(`good-${n}`), 0);
    const queue = at('news/Subscriptions/s');
    for (let n = 0; n < 3; n++) {
      const stored = takeFrom(queue, 0);
      queue.deadLetter(stored, stored.lock, 0, deadLetterProperties('r', 'd'));
    }
    expect(idsIn(letters)).toEqual(['bad-0', 'bad-1', 'bad-2', 'good-0', 'good-1', 'good-2']);
    expect(new Set(letters.messages.keys()).size).toBe(6);
  });

  it('that are taken make room, whoever asks for them', () => {
    const { broker, at } = brokerAlone();
    broker.createQueue('q', {}, 0);
    const letters = at('q/$DeadLetterQueue');
    letters.put(messageWith('first'), { now: 0, sequence: 5 });
    letters.put(messageWith('second'), { now: 0, sequence: 5 });
    expect([...letters.messages].map(([number, { message }]) => [number, message.messageId])).toEqual([
      [5, 'first'],
      [6, 'second'],
    ]);
    expect(at('q').lastSequence).toBe(6);
  });
});

describe('a dead-letter queue', () => {
  it('locks for as long as its queue does now, and shares its status', () => {
    const { broker, at } = brokerAlone();
    const queue = broker.createQueue('q', { lockDurationMs: 1000 }, 0);
    broker.updateQueue(queue, { ...queue.settings, lockDurationMs: 5000, status: 'ReceiveDisabled' }, 0);
    const letters = at('q/$DeadLetterQueue');
    expect(letters.settings).toMatchObject({ lockDurationMs: 5000, status: 'ReceiveDisabled' });
    letters.put(messageWith('m'), { now: 0 });
    expect(takeFrom(letters, 0).lock.until).toBe(5000);
    const record = broker.record('q');
    if (record?.kind !== 'queue') throw new Error('no record');
    broker.restore({ ...record, settings: { ...queue.settings, lockDurationMs: 7000 } }, 0);
    expect(letters.settings.lockDurationMs).toBe(7000);
  });
});

describe('a duplicate', () => {
  it('is answered with the number of the first, scheduled or not', () => {
    const { broker, send } = brokerAlone();
    broker.createQueue('q', { requiresDuplicateDetection: true }, 0);
    const scheduled = send('q', messageWith('later', { scheduledFor: 9000 }), 0);
    const sent = send('q', messageWith('now'), 0);
    send('q', messageWith('other'), 0);
    expect(send('q', messageWith('later', { scheduledFor: 9000 }), 1)).toBe(scheduled);
    expect(send('q', messageWith('now'), 1)).toBe(sent);
  });
});

describe('what ends earlier than what came before it', () => {
  it('ends in time: locks after LockDuration was shortened, ids after the window was', () => {
    const { broker, send } = brokerAlone();
    const queue = broker.createQueue('q', { requiresDuplicateDetection: true }, 0);
    send('q', messageWith('a'), 0);
    send('q', messageWith('b'), 0);
    const long: Stored = takeFrom(queue, 0);
    broker.updateQueue(queue, { ...queue.settings, lockDurationMs: 1000, duplicateWindowMs: 2000 }, 0);
    const short: Stored = takeFrom(queue, 0);
    send('q', messageWith('c'), 0);
    broker.advance(1000);
    expect([long.lock === undefined, short.lock === undefined]).toEqual([false, true]);
    broker.advance(3000);
    expect([...queue.remembered.keys()]).toEqual(['a', 'b']);
  });

  it('ends in time although the clock stepped back', () => {
    const { broker, send } = brokerAlone();
    const queue = broker.createQueue('q', {}, 0);
    send('q', messageWith('a'), 0);
    send('q', messageWith('b'), 0);
    const ahead: Stored = takeFrom(queue, 500_000);
    const behind: Stored = takeFrom(queue, 1000);
    broker.advance(61_000);
    expect([ahead.lock === undefined, behind.lock === undefined]).toEqual([false, true]);
  });
});

describe('the time to live that a queue gives', () => {
  it('is stamped into the header, as topics do', () => {
    const { broker, send, at } = brokerAlone();
    broker.createQueue('q', { defaultTtlMs: 5000 }, 0);
    send('q', messageWith('a'), 0);
    send('q', messageWith('b', { ttlMs: 100 }), 0);
    expect([...at('q').messages.values()].map(({ message }) => message.header.ttlMs)).toEqual([5000, 100]);
  });
});

describe('a deferred message that has expired', () => {
  it.each([true, false])('is gone from the counts, with dead-lettering %s', (deadLetterOnExpiration) => {
    const { broker, send } = brokerAlone();
    const queue = broker.createQueue('q', { deadLetterOnExpiration }, 0);
    for (const id of ['asked-for', 'forgotten']) {
      send('q', messageWith(id, { ttlMs: 1000 }), 0);
      const stored = takeFrom(queue, 0);
      queue.defer(stored, stored.lock, 0);
    }
    expect(queue.deferredCount).toBe(2);
    expect(() => queue.takeDeferred(1, 1000, false)).toThrow('does not exist');
    expect(queue.deferredCount).toBe(1);
    broker.advance(1000);
    expect([queue.deferredCount, queue.messages.size, queue.peek(0, 9, 1000, undefined)]).toEqual([0, 0, []]);
    expect(idsIn(queue.deadLetters)).toEqual(deadLetterOnExpiration ? ['asked-for', 'forgotten'] : []);
  });
});

describe('peeking', () => {
  it('goes by sequence number from where it is told, over gaps and among dead letters', () => {
    const { broker, send, at } = brokerAlone();
    const queue = broker.createQueue('q', {}, 0);
    for (let n = 1; n <= 1000; n++) send('q', messageWith(`m${n}`), 0);
    for (let n = 1; n <= 700; n++) {
      const stored = takeFrom(queue, 0);
      if (n % 100 === 0) queue.deadLetter(stored, stored.lock, 0, new Map());
      else queue.complete(stored, stored.lock, 0);
    }
    const numbers = (from: number, count: number) =>
      queue.peek(from, count, 0, undefined).map(({ sequence }) => sequence);
    expect(numbers(0, 2)).toEqual([701, 702]);
    expect(numbers(999, 9)).toEqual([999, 1000]);
    expect(queue.sizes['order']).toBeLessThan(700);
    const letters = at('q/$DeadLetterQueue');
    letters.put(messageWith('early'), { now: 0, sequence: 50 });
    expect(letters.peek(60, 3, 0, undefined).map(({ sequence }) => sequence)).toEqual([100, 200, 300]);
    expect(letters.peek(0, 2, 0, undefined).map(({ sequence }) => sequence)).toEqual([50, 100]);
  });
});
