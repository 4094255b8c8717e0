import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { brokerAlone, idsIn, messageWith, reasonsIn, takeFrom } from '../../testing/broker-alone.js';
import { FileJournal } from './file-journal.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open(now: number) {
  const journal = new FileJournal(folder, () => undefined);
  const alone = brokerAlone((change) => {
    journal.note(change);
  });
  journal.restore(alone.broker, now);
  return { journal, ...alone };
}

type Open = ReturnType<typeof open>;

/** Does `act`, then looks after a restart from the records of it, and after another from their summary. */
async function overRestarts(act: (first: Open) => void, look: (again: Open) => void, at = 0): Promise<void> {
  const first = open(0);
  act(first);
  await first.journal.close();
  for (let restart = 0; restart < 2; restart++) {
    const again = open(at);
    look(again);
    await again.journal.close();
  }
}

describe('after a restart', () => {
  it('no sequence number is given again, though no message tells of it', async () => {
    let last = 0;
    await overRestarts(
      ({ broker, send }) => {
        broker.createTopic('news', {}, 0);
        broker.createQueue('end', {}, 0);
        broker.createQueue('via', { forwardTo: 'end' }, 0);
        for (let n = 0; n < 3; n++) send('news', messageWith(`m${n}`), 0);
        for (let n = 0; n < 3; n++) send('via', messageWith(`m${n}`), 0);
        last = 3;
      },
      ({ send }) => {
        last++;
        expect(send('news', messageWith('next'), 0)).toBe(last);
        expect(send('via', messageWith('next'), 0)).toBe(last);
      },
    );
  });

  it('dead letters of filters and of forwarding are all there', async () => {
    await overRestarts(
      ({ broker, send }) => {
        const failing = { name: 'f', filter: { kind: 'sql', expression: 'sys.MessageId * 1 = 1' } } as const;
        broker.createTopic('news', {}, 0);
        broker.createSubscription('news', 's', {}, failing, 0);
        broker.createQueue('loop', { forwardTo: 'loop2' }, 0);
        broker.createQueue('loop2', { forwardTo: 'loop' }, 0);
        for (let n = 0; n < 3; n++) send('news', messageWith(`n${n}`), 0);
        send('loop', messageWith('far'), 0);
      },
      ({ at }) => {
        expect(idsIn(at('news/Subscriptions/s/$DeadLetterQueue'))).toEqual(['n0', 'n1', 'n2']);
        expect(reasonsIn(at('loop/$Transfer/$DeadLetterQueue'))).toEqual(['MaxTransferHopCountExceeded']);
      },
    );
  });

  it('it is known when sessions, entities and the namespace were used, changed and made', async () => {
    await overRestarts(
      ({ broker, send, at }) => {
        const queue = broker.createQueue('calls', { requiresSession: true }, 1);
        send('calls', messageWith('m', { session: 'sent' }), 1000);
        send('calls', messageWith('n', { session: 'accepted' }), 1000);
        queue.sessions.accept('accepted', {}, 3000);
        at('calls').sessions.setState('stated', Buffer.from('x'), 4000);
        broker.updateQueue(queue, { ...queue.settings, maxDeliveryCount: 3 }, 2000);
      },
      ({ broker, at }) => {
        const { sessions, updatedAt, createdAt } = at('calls');
        expect(sessions.list({ since: 3000 }).sort()).toEqual(['accepted', 'stated']);
        expect(sessions.list(1000)).toHaveLength(3);
        expect(sessions.list({ since: 4001 })).toEqual([]);
        expect(sessions.list({ active: true }).sort()).toEqual(['accepted', 'sent']);
        expect([createdAt, updatedAt]).toEqual([1, 2000]);
        expect(broker.createdAt).toBe(0);
      },
      9000,
    );
  });

  it('a duplicate is still answered with the number of the first', async () => {
    await overRestarts(
      ({ broker, send }) => {
        broker.createQueue('once', { requiresDuplicateDetection: true }, 0);
        send('once', messageWith('other'), 0);
        send('once', messageWith('same', { scheduledFor: 9000 }), 0);
      },
      ({ send }) => {
        expect(send('once', messageWith('same', { scheduledFor: 9000 }), 1)).toBe(2);
      },
    );
  });

  it('the size of an entity is what it was, and copies still share their bytes', async () => {
    const message = messageWith('m', { bytes: 1000 });
    await overRestarts(
      ({ broker, send }) => {
        broker.createTopic('news', {}, 0);
        for (let n = 0; n < 10; n++) broker.createSubscription('news', `s${n}`, {}, undefined, 0);
        send('news', message, 0);
      },
      ({ at }) => {
        expect(at('news').bytes).toBeCloseTo(message.size);
        const messages = Array.from({ length: 10 }, (_, n) => [
          ...at(`news/Subscriptions/s${n}`).messages.values(),
        ]);
        expect(new Set(messages.flat().map((each) => each.message)).size).toBe(1);
      },
    );
  });

  it('authorization rules are still there', async () => {
    const rule = {
      ...{ keyName: 'k', rights: ['Listen'] as const, primaryKey: 'p', secondaryKey: 's' },
      ...{ createdAt: 0, modifiedAt: 0 },
    };
    await overRestarts(
      ({ broker }) => broker.createTopic('news', { authorizationRules: [rule] }, 0),
      ({ broker }) => {
        expect(broker.keysOf('news/Subscriptions/s').map(({ key }) => key)).toEqual(['p', 's']);
      },
    );
  });

  it('an entity that nobody has used for too long goes, though not before its clients could come back', async () => {
    await overRestarts(
      ({ broker, send }) => {
        broker.createQueue('q', { autoDeleteOnIdleMs: 600_000 }, 0);
        send('q', messageWith('m'), 300_000);
      },
      ({ broker, at }) => {
        expect(at('q').touchedAt).toBe(300_000);
        expect(broker.nextDue).toBe(900_000);
      },
      800_000,
    );
    const late = open(2_000_000);
    late.broker.advance(2_059_999);
    expect(late.broker.find('q')).toBeDefined();
    late.broker.advance(2_060_000);
    expect(late.broker.find('q')).toBeUndefined();
    await late.journal.close();
  });

  it('what waits for an entity to forward to still does', async () => {
    await overRestarts(
      ({ broker, send }) => {
        broker.createQueue('q', { forwardTo: 'missing' }, 0);
        send('q', messageWith('m'), 0);
        broker.advance(0);
      },
      ({ broker, at }) => {
        broker.advance(1);
        expect(idsIn(at('q'))).toEqual(['m']);
      },
    );
    const { broker, at, journal } = open(2);
    broker.advance(2);
    broker.createQueue('missing', {}, 2);
    broker.advance(2);
    expect(idsIn(at('missing'))).toEqual(['m']);
    expect(takeFrom(at('missing'), 2).firstSequence).toBe(1);
    await journal.close();
  });
});

describe('a rule that was accepted by an earlier version', () => {
  it('does not keep the broker from starting; its messages go where failing filters send them', async () => {
    const rule = {
      name: 'old',
      filter: { kind: 'sql', expression: "sys.Lable = 'x'" },
      createdAt: 0,
    } as const;
    await overRestarts(
      ({ broker }) => {
        broker.createTopic('news', {}, 0);
        const { queue } = broker.createSubscription('news', 's', {}, undefined, 0);
        broker.subscription(queue.path)?.restoreRules([rule]);
        broker.noteEntity(queue.path);
      },
      ({ send, at }) => {
        at('news/Subscriptions/s/$DeadLetterQueue').take(0, true);
        send('news', messageWith('m'), 0);
        expect(reasonsIn(at('news/Subscriptions/s/$DeadLetterQueue'))).toEqual(['FilterEvaluationException']);
      },
    );
  });
});
