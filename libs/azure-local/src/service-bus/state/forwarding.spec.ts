import { describe, expect, it } from '@jest/globals';
import { brokerAlone, idsIn, messageWith, reasonsIn, takeFrom } from '../../testing/broker-alone.js';

describe('forwarding', () => {
  it('ends in the transfer dead letters where the hops are used up', () => {
    const { broker, send, at } = brokerAlone();
    broker.createQueue('a', { forwardTo: 'b' }, 0);
    broker.createQueue('b', { forwardTo: 'a' }, 0);
    send('a', messageWith('m'), 0);
    expect(at('a').messages.size + at('b').messages.size).toBe(0);
    expect(reasonsIn(at('a/$Transfer/$DeadLetterQueue'))).toEqual(['MaxTransferHopCountExceeded']);
    expect(at('A/$transfer/$deadletterqueue').path).toBe('a/$Transfer/$DeadLetterQueue');
  });

  it('takes four hops', () => {
    const { broker, send, at } = brokerAlone();
    for (const [name, forwardTo] of ['ab', 'bc', 'cd', 'de', 'e'])
      broker.createQueue(name ?? '', { forwardTo }, 0);
    send('a', messageWith('m'), 0);
    expect(idsIn(at('e'))).toEqual(['m']);
    broker.createQueue('start', { forwardTo: 'a' }, 0);
    send('start', messageWith('n'), 0);
    expect(idsIn(at('d/$transfer/$deadletterqueue'))).toEqual(['n']);
  });

  it('keeps to the duplicate detection and the sessions of where it leads', () => {
    const { broker, send, at } = brokerAlone();
    broker.createQueue('once', { requiresDuplicateDetection: true }, 0);
    broker.createQueue('calls', { requiresSession: true }, 0);
    broker.createQueue('a', { forwardTo: 'once' }, 0);
    broker.createQueue('b', { forwardTo: 'calls' }, 0);
    send('a', messageWith('m'), 0);
    send('a', messageWith('m'), 0);
    expect(idsIn(at('once'))).toEqual(['m']);
    send('b', messageWith('with', { session: 's' }), 0);
    send('b', messageWith('without'), 0);
    expect(idsIn(at('calls'))).toEqual(['with']);
    expect(reasonsIn(at('calls/$DeadLetterQueue'))).toEqual(['Session ID is null.']);
  });

  it('happens to a scheduled message when its time comes, which it keeps', () => {
    const { broker, send, at } = brokerAlone();
    broker.createQueue('end', {}, 0);
    broker.createQueue('a', { forwardTo: 'end' }, 0);
    send('a', messageWith('m', { scheduledFor: 1000 }), 0);
    expect(at('a').scheduledCount).toBe(1);
    broker.advance(1000);
    expect(idsIn(at('end'))).toEqual(['m']);
    const [stored] = at('end').messages.values();
    expect(stored?.message.annotation('x-opt-scheduled-enqueue-time')).toEqual(new Date(1000));
    expect(stored).toMatchObject({ firstSequence: 1, enqueuedAt: 1000 });
  });

  it('takes what had gathered, when it is set or when its target comes to be', () => {
    const { broker, send, at } = brokerAlone();
    broker.createQueue('later', { forwardTo: 'missing' }, 0);
    send('later', messageWith('waits'), 0);
    broker.advance(1);
    expect(idsIn(at('later'))).toEqual(['waits']);
    broker.createQueue('missing', {}, 2);
    expect(broker.nextDue).toBeLessThanOrEqual(2);
    broker.advance(2);
    expect([idsIn(at('later')), idsIn(at('missing'))]).toEqual([[], ['waits']]);

    const plain = broker.createQueue('plain', {}, 2);
    send('plain', messageWith('old'), 2);
    const locked = takeFrom(plain, 2);
    send('plain', messageWith('older'), 2);
    broker.updateQueue(plain, { ...plain.settings, forwardTo: 'missing' }, 3);
    broker.advance(3);
    expect(idsIn(at('missing'))).toEqual(['waits', 'older']);
    plain.abandon(locked, locked.lock, 4);
    broker.advance(4);
    expect(idsIn(at('missing'))).toEqual(['waits', 'older', 'old']);
  });

  it('does not reach what takes no messages', () => {
    const { broker, send, at } = brokerAlone();
    const off = broker.createQueue('off', {}, 0);
    broker.createQueue('a', { forwardTo: 'off' }, 0);
    broker.updateQueue(off, { ...off.settings, status: 'Disabled' }, 0);
    send('a', messageWith('m'), 0);
    expect(reasonsIn(at('a/$Transfer/$DeadLetterQueue'))).toEqual(['TransferDestinationDisabled']);
  });

  it.each([
    [{ forwardTo: 'A' }, 'to itself'],
    [{ forwardDeadLettersTo: 'a' }, 'to itself'],
    [{ forwardTo: 'other/$DeadLetterQueue' }, 'not dead letters'],
    [{ forwardDeadLettersTo: 't/Subscriptions/s' }, 'not dead letters or a subscription'],
    [{ forwardTo: 'other', requiresSession: true }, 'requires sessions'],
  ])('is refused as %j', (settings, reason) => {
    const { broker } = brokerAlone();
    broker.createQueue('other', {}, 0);
    expect(() => broker.createQueue('a', settings, 0)).toThrow(reason);
    const { requiresSession = false, ...more } = { requiresSession: undefined, ...settings };
    const queue = broker.createQueue('a', { requiresSession }, 0);
    expect(() => {
      broker.updateQueue(queue, { ...queue.settings, ...more }, 1);
    }).toThrow(reason);
  });
});

describe('a subscription that requires sessions', () => {
  it('puts a message without one among its dead letters', () => {
    const { broker, send, at } = brokerAlone();
    broker.createTopic('news', {}, 0);
    broker.createSubscription('news', 's', { requiresSession: true }, undefined, 0);
    send('news', messageWith('m'), 0);
    expect(reasonsIn(at('news/Subscriptions/s/$DeadLetterQueue'))).toEqual(['Session ID is null.']);
    expect(at('news/Subscriptions/s').messages.size).toBe(0);
  });
});
