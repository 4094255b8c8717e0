import { describe, expect, it } from '@jest/globals';
import { brokerAlone, messageWith, takeFrom } from '../../testing/broker-alone.js';

const idle = { autoDeleteOnIdleMs: 1000 };

describe('an entity that deletes itself when idle', () => {
  it.each<[string, (alone: ReturnType<typeof brokerAlone>, now: number) => void]>([
    ['peeking', ({ at }, now) => at('q').peek(0, 1, now, undefined)],
    ['receiving', ({ at }, now) => at('q').take(now, true)],
    ['peeking at its dead letters', ({ at }, now) => at('q/$DeadLetterQueue').peek(0, 1, now, undefined)],
    [
      'being touched',
      ({ at }, now) => {
        at('q').touch(now);
      },
    ],
  ])('stays because of %s', (_what, use) => {
    const alone = brokerAlone();
    alone.broker.createQueue('q', idle, 0);
    use(alone, 900);
    alone.broker.advance(1500);
    expect(alone.broker.find('q')).toBeDefined();
    alone.broker.advance(1900);
    expect(alone.broker.find('q')).toBeUndefined();
  });

  it('stays because of a lock that is renewed', () => {
    const { broker, send } = brokerAlone();
    const queue = broker.createQueue('q', idle, 0);
    send('q', messageWith('m'), 0);
    const stored = takeFrom(queue, 0);
    queue.renew(stored, 900);
    broker.advance(1899);
    expect(broker.find('q')).toBeDefined();
  });

  it('stays while somebody receives its dead letters', () => {
    const { broker, at } = brokerAlone();
    broker.createQueue('q', idle, 0);
    at('q/$DeadLetterQueue').receivers++;
    broker.advance(5000);
    expect(broker.find('q')).toBeDefined();
    at('q/$DeadLetterQueue').receivers--;
    broker.advance(9000);
    expect(broker.find('q')).toBeUndefined();
  });

  it('may be a topic, which its subscriptions keep alive', () => {
    const { broker, at, send, gone } = brokerAlone();
    broker.createTopic('news', idle, 0);
    broker.createSubscription('news', 's', {}, undefined, 0);
    send('news', messageWith('m'), 500);
    broker.advance(1400);
    at('news/Subscriptions/s').receivers++;
    broker.advance(5000);
    expect(broker.find('news')).toBeDefined();
    at('news/Subscriptions/s').receivers--;
    broker.advance(9000);
    expect(broker.find('news')).toBeUndefined();
    expect(gone).toContain('news/Subscriptions/s');
  });

  it('tells the journal of its use now and then, not each time', () => {
    const { broker, at, changes } = brokerAlone();
    broker.createQueue('q', idle, 0);
    broker.createQueue('other', {}, 0);
    changes.length = 0;
    for (let now = 1; now <= 1000; now++) {
      at('q').touch(now);
      at('other').touch(now);
    }
    expect(changes.filter((kind) => kind === 'touched').length).toBeLessThanOrEqual(11);
    expect(changes.length).toBeGreaterThan(5);
  });
});
