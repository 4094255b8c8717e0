import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as put from '../amqp/put.js';
import { Broker } from '../state/broker.js';
import { Refused } from '../errors.js';
import { readMessage } from '../state/message.js';
import type { Queue } from '../state/queue.js';
import { deadLetterProperties } from '../state/stamps.js';
import type { Stored } from '../state/stored.js';
import { FileJournal } from './file-journal.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'journal-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open(rewriteFromBytes: number) {
  const journal = new FileJournal(folder, () => undefined, rewriteFromBytes);
  let token = 0;
  const broker = new Broker({
    note: (change) => {
      journal.note(change);
    },
    available: () => undefined,
    gone: () => undefined,
    newToken: () => {
      const bytes = Buffer.alloc(16);
      bytes.writeUInt32BE(++token);
      return bytes;
    },
    newId: () => `id-${++token}`,
  });
  journal.restore(broker, 0);
  return { journal, broker };
}

/** All that must be the same after a restart. Locks within a session end with it. */
function picture(broker: Broker): unknown {
  return broker.stores().map((queue) => ({
    path: queue.path,
    settings: queue.settings,
    last: queue.lastSequence,
    seen: [...queue.remembered],
    states: queue.sessions.states,
    counts: [queue.activeCount, queue.deferredCount, queue.scheduledCount],
    locks: [...queue.lockedInOrder()]
      .map(({ sequence, lock }) => [sequence, lock?.key, lock?.until])
      .sort(([a = 0], [b = 0]) => Number(a) - Number(b)),
    messages: [...queue.messages.values()]
      .map(({ sequence, firstSequence, enqueuedAt, expiresAt, dueAt, state, deliveryCount, message }) => ({
        ...{ sequence, firstSequence, enqueuedAt, expiresAt, dueAt, state, deliveryCount },
        bare: message.bare.toString('hex'),
      }))
      .sort((a, b) => a.sequence - b.sequence),
  }));
}

/** Repeatable chance (mulberry32). */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Does one thing to the broker, whatever chance picks; what is not possible is refused. */
function act(broker: Broker, pick: (below: number) => number, now: number): void {
  const queues = broker.stores();
  const queue = queues[pick(queues.length)];
  if (queue === undefined) return;
  const name = `q${pick(3)}`;
  switch (pick(14)) {
    case 0:
      broker.createQueue(name, { requiresDuplicateDetection: pick(2) === 0, maxDeliveryCount: 2 }, now);
      return;
    case 1:
      broker.createTopic(`t${pick(2)}`, {}, now);
      return;
    case 2:
      broker.createSubscription(
        `t${pick(2)}`,
        `s${pick(3)}`,
        { deadLetterOnExpiration: true },
        undefined,
        now,
      );
      return;
    case 3:
      if (pick(10) === 0) broker.delete([name, `t0`, `t1/subscriptions/s1`][pick(3)] ?? '');
      return;
    case 4:
    case 5:
    case 6:
    case 7:
      send(broker, pick, now);
      return;
    case 8:
      queue.sessions.setState(`s${pick(3)}`, pick(2) === 0 ? null : Buffer.from([pick(256)]), now);
      return;
    case 9:
      queue.take(now, pick(4) === 0);
      return;
    default:
      settle(queue, pick, now);
  }
}

function send(broker: Broker, pick: (below: number) => number, now: number): void {
  const entity = broker.find([`q${pick(3)}`, `t${pick(2)}`][pick(2)] ?? '');
  if (entity === undefined) return;
  let message = readMessage(Buffer.alloc(0)).withProperties({ messageId: put.string(`m${pick(50)}`) });
  if (pick(3) === 0) message = message.withTtl(1 + pick(200));
  if (pick(4) === 0)
    message = message.withAnnotations({ 'x-opt-scheduled-enqueue-time': put.timestamp(now + pick(300)) });
  broker.send(entity, message, now);
}

function settle(queue: Queue, pick: (below: number) => number, now: number): void {
  const locked: Stored[] = [...queue.lockedInOrder()];
  const stored = locked[pick(locked.length)];
  if (stored?.lock === undefined) return;
  const changes = pick(2) === 0 ? new Map([['x', put.bytesOf(put.int(pick(100)))]]) : undefined;
  switch (pick(5)) {
    case 0:
      queue.complete(stored, stored.lock, now);
      return;
    case 1:
      queue.abandon(stored, stored.lock, now, changes);
      return;
    case 2:
      queue.defer(stored, stored.lock, now, changes);
      return;
    case 3:
      queue.deadLetter(stored, stored.lock, now, deadLetterProperties('r', 'd'));
      return;
    default:
      queue.renew(stored, now);
  }
}

describe('a journal', () => {
  it.each([
    ['', 1e9],
    [' although it was rewritten on the way', 4096],
  ])('leads to the same state as what happened%s', async (_how, rewriteFromBytes) => {
    for (let seed = 1; seed <= 12; seed++) {
      const pick = chance(seed);
      const first = open(rewriteFromBytes);
      let now = 1_000_000;
      for (let step = 0; step < 400; step++) {
        now += pick(20);
        if (pick(200) === 0) now += 60_000;
        first.broker.advance(now);
        try {
          act(first.broker, pick, now);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
        }
        if (pick(3) === 0) first.journal.write();
      }
      const expected = picture(first.broker);
      await first.journal.close();
      const second = open(rewriteFromBytes);
      expect(picture(second.broker)).toEqual(expected);
      await second.journal.close();
      rmSync(join(folder, 'journal.log'));
    }
  });

  it('confirms nothing before it is on disk, and then in order', async () => {
    const { journal, broker } = open(1e9);
    const told: number[] = [];
    for (let n = 0; n < 5; n++) {
      broker.createQueue(`q${n}`, {}, 0);
      journal.whenDurable(() => told.push(n));
    }
    journal.write();
    expect(told).toEqual([]);
    await new Promise<void>((resolve) => {
      journal.whenDurable(resolve);
    });
    expect(told).toEqual([0, 1, 2, 3, 4]);
    let atOnce = false;
    journal.whenDurable(() => {
      atOnce = true;
    });
    expect(atOnce).toBe(true);
    await journal.close();
  });
});
