import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FileJournal } from './journal/file-journal.js';
import { brokerAlone, messageWith } from '../testing/broker-alone.js';
import type { Queue } from './state/queue.js';
import type { Stored } from './state/stored.js';

/** Virtual hours under load; the short form takes a few seconds. */
const HOURS = Number(process.env['AZURE_LOCAL_SOAK_HOURS'] ?? 0.4);
const REWRITE_BYTES = 1_000_000;
const HOUR_MS = 3_600_000;
const STEP_MS = 500;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'day-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function open() {
  const journal = new FileJournal(folder, () => undefined, REWRITE_BYTES);
  const alone = brokerAlone((change) => {
    journal.note(change);
  });
  journal.restore(alone.broker, 0);
  return { journal, ...alone };
}

type Bus = ReturnType<typeof open> & { readonly deferred: Deferred[] };

function build({ broker }: Bus): void {
  const short = { lockDurationMs: 5000, maxDeliveryCount: 3 };
  broker.createQueue('work', { ...short, deadLetterOnExpiration: true }, 0);
  broker.createQueue('once', { ...short, requiresDuplicateDetection: true, duplicateWindowMs: 30_000 }, 0);
  broker.createQueue('calls', { ...short, requiresSession: true }, 0);
  broker.createQueue('via', { forwardTo: 'work' }, 0);
  broker.createTopic('news', { defaultTtlMs: 60_000 }, 0);
  for (let n = 0; n < 4; n++) broker.createSubscription('news', `s${n}`, short, undefined, 0);
}

/** What half a second brings. `n` counts them. */
function produce({ send, broker }: Bus, n: number, now: number): void {
  send('work', messageWith(`w${n}`, n % 5 === 0 ? { ttlMs: 3000 } : {}), now);
  send('via', messageWith(`v${n}`), now);
  for (const id of [n, n, n - 7]) send('once', messageWith(`o${id}`), now);
  send('calls', messageWith(`c${n}`, { session: `session-${n % 50}-${Math.floor(n / 500)}` }), now);
  send('news', messageWith(`n${n}`), now);
  send('work', messageWith(`l${n}`, { scheduledFor: now + 20_000 }), now);
  if (n % 200 === 0) {
    broker.createQueue(`brief-${n}`, { autoDeleteOnIdleMs: 60_000 }, now);
    send(`brief-${n}`, messageWith('m'), now);
  }
}

/** Takes what is there, and settles it in each way there is. */
function consume(bus: Bus, n: number, now: number): void {
  const { at } = bus;
  const deferred = bus.deferred;
  for (const name of ['work', 'once', ...[0, 1, 2, 3].map((s) => `news/Subscriptions/s${s}`)]) {
    const queue = at(name);
    for (let stored = queue.take(now, false); stored !== undefined; stored = queue.take(now, false))
      settle(queue, stored, n + stored.sequence, now, deferred);
    queue.deadLetters?.take(now, true);
    queue.deadLetters?.take(now, true);
  }
  for (const { queue, sequence } of deferred.splice(0))
    if (queue.messages.get(sequence)?.state === 'deferred') queue.takeDeferred(sequence, now, true);
  const calls = at('calls');
  const holder = {};
  for (
    let slot = calls.sessions.accept(undefined, holder, now);
    slot;
    slot = calls.sessions.accept(undefined, holder, now)
  ) {
    for (let stored = calls.take(now, false, slot); stored?.lock; stored = calls.take(now, false, slot))
      calls.complete(stored, stored.lock, now);
    calls.sessions.setState(slot.id, Buffer.from('done'), now);
    calls.sessions.setState(slot.id, null, now);
    // One in ten loses its session instead of closing it.
    if (n % 10 !== 0) calls.sessions.release(slot, holder, now);
  }
}

interface Deferred {
  readonly queue: Queue;
  readonly sequence: number;
}

function settle(queue: Queue, stored: Stored, n: number, now: number, deferred: Deferred[]): void {
  const { lock } = stored;
  if (lock === undefined) return;
  if (n % 17 === 0) {
    queue.defer(stored, lock, now);
    deferred.push({ queue, sequence: stored.sequence });
  } else if (n % 13 === 0) queue.deadLetter(stored, lock, now, new Map());
  // A lock that nobody settles ends by itself.
  else if (n % 11 === 0) queue.renew(stored, now);
  else if (n % 7 === 0) queue.abandon(stored, lock, now);
  else queue.complete(stored, lock, now);
}

/** All that is remembered, entity by entity and in total. */
function remembered({ broker }: Bus): Record<string, number> {
  const sum: Record<string, number> = { entities: broker.paths().length, ...broker.sizes };
  for (const queue of broker.stores())
    for (const [name, size] of Object.entries({ messages: queue.messages.size, ...queue.sizes }))
      sum[name] = (sum[name] ?? 0) + size;
  return sum;
}

function heapUsed(): number | undefined {
  if (globalThis.gc === undefined) return undefined;
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

describe('a bus that is used day and night', () => {
  it(
    `keeps no more after ${HOURS} h than after a tenth of it, in memory and in its journal`,
    async () => {
      const bus = { ...open(), deferred: [] as Deferred[] };
      build(bus);
      const steps = Math.floor((HOURS * HOUR_MS) / STEP_MS);
      const warm = Math.floor(steps / 10);
      let early: Record<string, number> = {};
      let earlyHeap: number | undefined;
      let longest = 0;
      for (let n = 0; n < steps; n++) {
        const now = n * STEP_MS;
        bus.broker.advance(now);
        produce(bus, n, now);
        consume(bus, n, now);
        bus.journal.write();
        // What the spec itself gathers is not the bus's.
        bus.changes.length = 0;
        bus.gone.length = 0;
        longest = Math.max(longest, bus.journal.bytes);
        // fdatasync answers between the turns.
        if (n % 50 === 0) await new Promise(setImmediate);
        if (n === warm) [early, earlyHeap] = [remembered(bus), heapUsed()];
      }
      const late = remembered(bus);
      const grown = Object.entries(late).filter(([name, size]) => size > 1.5 * (early[name] ?? 0) + 200);
      expect(grown).toEqual([]);
      // A frame may be written before the limit is noticed.
      expect(longest).toBeLessThan(REWRITE_BYTES + 200_000);
      const heap = heapUsed();
      if (heap !== undefined && earlyHeap !== undefined) expect(heap).toBeLessThan(earlyHeap + 5_000_000);

      // All that was asked for is over in the end.
      const end = steps * STEP_MS;
      for (const after of [30_000, 90_000, 200_000, 400_000]) {
        bus.broker.advance(end + after);
        consume(bus, 1, end + after);
      }
      bus.journal.write();
      const stores = bus.broker.stores();
      const left = stores.reduce((sum, { messages }) => sum + messages.size, 0);
      await bus.journal.close();
      const again = open();
      expect(again.broker.stores().reduce((sum, { messages }) => sum + messages.size, 0)).toBe(left);
      expect(again.journal.bytes).toBeLessThan(20_000 + 1000 * left);
      expect(again.broker.paths()).toEqual(bus.broker.paths());
      await again.journal.close();
    },
    Math.max(60_000, HOURS * 60_000),
  );
});
