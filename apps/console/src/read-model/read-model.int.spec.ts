import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AccountId, ConsumerName, RotationId, generation } from '@twinkey/contracts';
import { migrate, openDatabase } from '@twinkey/journal';
import { ANYONE } from '@twinkey/service';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import {
  at,
  registryEvent,
  rotationEvent,
  rotationId,
  settings,
  speech,
  vision,
  wholeRotation,
} from '../../spec/sample-events.js';
import { EventsController } from '../api/events.controller.js';
import { OpenStreams } from '../api/open-streams.js';
import { commandsOf } from '../commands.js';
import { questionOf } from '../idempotency.js';
import type { ConsoleDatabase } from '../parts.js';
import { findAccounts, listAccounts, showAccount } from './accounts.js';
import { eventsAfter, timelineOf } from './feed.js';
import { Pulse } from './pulse.js';
import { recordRegistryEvent } from './record-registry-event.js';
import { recordRotationEvent } from './record-rotation-event.js';
import { tellRotation } from './rotation-story.js';
import { findRotations, listRotations } from './rotations.js';
import { fleetStatus } from './status.js';
import type { ConsoleTables } from './tables.js';

const open = (url: string) =>
  openDatabase<ConsoleTables>({ url, schema: 'console', applicationName: 'console-spec' });

async function prepare(url: string): Promise<void> {
  const database = await open(url);
  await migrate(database, [new URL('../../migrations/', import.meta.url)]);
  await database.close();
}

let fresh: TestDatabase;
let db: ConsoleDatabase;

beforeEach(async () => {
  fresh = await testDatabase({ prepare });
  db = await open(fresh.url);
});
afterEach(async () => {
  await db.close();
  await fresh.drop();
});

const events = wholeRotation.map((what, index) => rotationEvent(index + 1, what));
const consumers = (version: number, acknowledged: number) =>
  registryEvent(version, {
    event: 'consumers-changed',
    account: speech,
    generation: generation(8),
    consumers: [{ consumer: ConsumerName.parse('chat-api'), live: 3, acknowledged, lapsed: 0 }],
  });

/** Everything that people see, without the order in which the console heard of it. */
async function seen() {
  const rotations = await findRotations(db, rotationId);
  return {
    account: await showAccount(db, speech, at(60)),
    rotations,
    timeline: (await timelineOf(db, rotationId)).map((event) => ({ ...event, position: null })),
    status: await fleetStatus(db, at(60)),
  };
}

/** A shuffle that a failing run can be repeated with. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const draw = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31);
  return items
    .map((item) => ({ item, order: draw() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

describe('a rotation whose events arrive in order', () => {
  it('is shown with its account', async () => {
    for (const event of events) await recordRotationEvent(db, event);
    const { account, rotations } = await seen();
    expect(rotations).toHaveLength(1);
    expect(rotations[0]).toMatchObject({
      id: rotationId,
      account: 'speech',
      state: 'completed',
      seconds: 14,
    });
    expect(account).toMatchObject({
      name: 'speech',
      state: 'healthy',
      published: { slot: 'key2', generation: 8, fingerprint: '333333333333' },
      keys: [
        { slot: 'key1', fingerprint: null },
        { slot: 'key2', fingerprint: '333333333333' },
      ],
      lastRotatedAt: at(14).toISOString(),
    });
  });
});

describe('events that come doubled, late and in any order', () => {
  it('lead to what they lead to in order', async () => {
    const registry = [
      registryEvent(1, { event: 'account-declared', settings, nextDueAt: at(90).toISOString() }),
      consumers(1, 1),
      consumers(2, 3),
    ];
    for (const event of registry) await recordRegistryEvent(db, event);
    for (const event of events) await recordRotationEvent(db, event);
    const inOrder = await seen();

    for (const seed of [1, 2, 3]) {
      await db.close();
      await fresh.drop();
      fresh = await testDatabase({ prepare });
      db = await open(fresh.url);
      for (const event of shuffled([...events, ...events], seed)) await recordRotationEvent(db, event);
      for (const event of shuffled([...registry, ...registry], seed)) await recordRegistryEvent(db, event);
      expect({ seed, ...(await seen()) }).toEqual({ seed, ...inOrder });
    }
  }, 30_000);

  it('lead there also when they come at the same time', async () => {
    // Two events that race must not each tell the rotation without the other: tried for many accounts, two at once.
    const rotations = Array.from({ length: 20 }, (_, index) =>
      RotationId.parse(`r-${index.toString(16).padStart(12, 'b')}`),
    );
    await Promise.all(
      rotations.map(async (rotation, index) => {
        const account = AccountId.parse(`${speech}-${index}`);
        const mine = shuffled(
          wholeRotation.map((what, at) => ({ what, sequence: at + 1 })),
          index,
        );
        while (mine.length > 0) {
          const together = mine.splice(0, 2);
          await Promise.all(
            together.map(({ what, sequence }) =>
              recordRotationEvent(db, rotationEvent(sequence, what, { account, rotation })),
            ),
          );
        }
      }),
    );
    const told = await listRotations(db, { limit: 100 });
    const story = tellRotation(events.map(({ data }) => data));
    expect(told.map(({ steps, state, seconds }) => ({ steps, state, seconds }))).toEqual(
      rotations.map(() => ({ steps: story.steps, state: story.state, seconds: story.seconds })),
    );
  }, 30_000);

  it('count once each', async () => {
    const [first] = events;
    if (!first) throw new Error('no sample');
    expect(await recordRotationEvent(db, first)).toBe(true);
    expect(await recordRotationEvent(db, first)).toBe(false);
    expect(await recordRotationEvent(db, { ...first, id: 'sent-again-under-another-id' })).toBe(false);
  });
});

describe('an older word of the notifier that arrives after a newer one', () => {
  it('changes nothing', async () => {
    await recordRegistryEvent(db, consumers(5, 3));
    await recordRegistryEvent(db, consumers(4, 1));
    expect((await showAccount(db, speech, at(60)))?.consumers).toEqual([
      { consumer: 'chat-api', live: 3, acknowledged: 3, lapsed: 0 },
    ]);
  });
});

describe('an account that was withdrawn', () => {
  it('stays so when an older declaration arrives late', async () => {
    await recordRegistryEvent(
      db,
      registryEvent(2, { event: 'account-withdrawn', account: speech, reason: 'left the file' }),
    );
    await recordRegistryEvent(db, registryEvent(1, { event: 'account-declared', settings }));
    expect((await listAccounts(db, at(60)))[0]).toMatchObject({
      state: 'withdrawn',
      withdrawn: { reason: 'left the file' },
    });
  });

  it('is under care again once declared anew', async () => {
    await recordRegistryEvent(
      db,
      registryEvent(2, { event: 'account-withdrawn', account: speech, reason: 'left the file' }),
    );
    await recordRegistryEvent(db, registryEvent(3, { event: 'account-declared', settings }));
    expect((await listAccounts(db, at(60)))[0]).toMatchObject({ state: 'healthy', withdrawn: null });
  });
});

describe('an account whose next rotation should have begun', () => {
  it('is due', async () => {
    await recordRegistryEvent(
      db,
      registryEvent(1, { event: 'account-declared', settings, nextDueAt: at(10).toISOString() }),
    );
    expect((await listAccounts(db, at(9)))[0]?.state).toBe('healthy');
    expect((await listAccounts(db, at(10)))[0]?.state).toBe('due');
  });
});

describe('the feed', () => {
  it('hands out every event once, in an order that never changes', async () => {
    const both = events.flatMap((event) => [
      event,
      rotationEvent(event.data.sequence, event.data.what, { account: vision }),
    ]);
    const heard: number[] = [];
    let after = 0;
    const listen = async () => {
      for (const { position } of await eventsAfter(db, { after, limit: 3 })) {
        heard.push(position);
        after = position;
      }
    };
    const recording = Promise.all(shuffled(both, 3).map((event) => recordRotationEvent(db, event)));
    const state = { recording: true };
    void recording.then(() => (state.recording = false));
    while (state.recording) await listen();
    await recording;
    while (heard.length < both.length) await listen();
    expect(heard).toEqual(both.map((_, index) => index + 1));
  });
});

describe('the fleet', () => {
  it('shows what needs attention, and which services have fallen silent', async () => {
    for (const event of events.slice(0, 3)) await recordRotationEvent(db, event);
    await recordRegistryEvent(
      db,
      registryEvent(5, { event: 'service-alive', service: 'notifier', startedAt: at(0).toISOString() }),
    );
    const soon = await fleetStatus(db, at(20));
    expect(soon.accounts).toMatchObject({ total: 1, waiting: 1 });
    expect(soon.attention).toEqual([]);
    const later = await fleetStatus(db, at(120));
    expect(later.attention).toMatchObject([{ account: 'speech', rotation: rotationId, state: 'waiting' }]);
    expect(later.services.map(({ service, alive }) => [service, alive])).toEqual([
      ['scheduler', null],
      ['rotator', null],
      ['notifier', false],
    ]);
    expect(soon.services[2]).toMatchObject({ service: 'notifier', alive: true });
  });

  it('shows who was to be told that a consumer keeps a switch waiting, for as long as it does', async () => {
    const since = at(3).toISOString();
    const desk = { consumer: ConsumerName.parse('desk'), live: 1, acknowledged: 1, lapsed: 0, minimum: 2 };
    const changed = (version: number, more: object) =>
      registryEvent(version, {
        event: 'consumers-changed',
        account: speech,
        generation: generation(8),
        consumers: [{ ...desk, ...more }],
      });
    await recordRegistryEvent(db, changed(1, { escalated: { to: 'on-call', since } }));
    expect((await fleetStatus(db, at(20))).attention).toEqual([
      expect.objectContaining({
        account: 'speech',
        state: 'escalated',
        since,
        detail: 'desk keeps the key switch waiting, with 1 of at least 2 instances; on-call is to be told',
      }),
    ]);
    await recordRegistryEvent(db, changed(2, { live: 2 }));
    expect((await fleetStatus(db, at(21))).attention).toEqual([]);
  });

  it('finds accounts by name, group and ARM id in any case, and rotations by state', async () => {
    for (const event of events.slice(0, 3)) await recordRotationEvent(db, event);
    expect(await findAccounts(db, 'SPEECH')).toEqual([speech]);
    expect(await findAccounts(db, speech.toUpperCase())).toEqual([speech]);
    expect(await findAccounts(db, 'AI/speech')).toEqual([speech]);
    expect(await findAccounts(db, 'other/speech')).toEqual([]);
    expect(await listRotations(db, { state: 'waiting', limit: 5 })).toHaveLength(1);
    expect(await listRotations(db, { state: 'halted', limit: 5 })).toHaveLength(0);
  });
});

describe('a stream of events', () => {
  it('ends with the token that it began with, and not before', async () => {
    for (const event of events) await recordRotationEvent(db, event);
    const sent: string[] = [];
    let clock = at(0);
    const response = Object.assign(new PassThrough(), { writeHead: () => undefined });
    response.on('data', (chunk) => sent.push(String(chunk)));
    const controller = new EventsController(db, new Pulse(), new OpenStreams(1), () => clock);
    const reply = { raw: response as never, hijack: () => undefined, send: () => undefined };
    const caller = { ...ANYONE, until: at(1).getTime() };
    const stream = controller.all({ after: 0, limit: 1, watch: '' }, {}, caller, reply);
    await until(() => sent.join('').includes('event: completed'));
    expect(response.writableEnded).toBe(false);
    clock = at(1);
    await stream;
    expect(response.writableEnded).toBe(true);
  });
});

describe('what is asked under an idempotency key', () => {
  const deed = {
    command: 'replay-dead-letters',
    by: 'ana',
    details: {},
    question: questionOf('a key', 'all of them'),
  };

  it('is refused while it is under way, by any replica, and answered alike afterwards', async () => {
    const [one, other] = [commandsOf(db, () => at(0)), commandsOf(db, () => at(1))];
    let end: (answer: object) => void = () => undefined;
    const work = new Promise<object>((resolve) => (end = resolve));
    let begun: () => void = () => undefined;
    const isUnderWay = new Promise<void>((resolve) => (begun = resolve));
    const first = one.once(deed, () => {
      begun();
      return work;
    });
    await isUnderWay;
    const never = () => Promise.reject(new Error('done twice'));
    await expect(other.once(deed, never)).rejects.toMatchObject({
      status: 409,
      code: 'idempotency-key-in-use',
      retryAfterSeconds: 1,
    });
    end({ replayed: 3 });
    expect(await first).toEqual({ replayed: 3 });
    expect(await other.once(deed, never)).toEqual({ replayed: 3 });
    expect(await one.list({ limit: 10 })).toHaveLength(1);
  });

  it('is done by the repetition when it died half-way, and audited once', async () => {
    const commands = commandsOf(db, () => at(0));
    await expect(commands.once(deed, () => Promise.reject(new Error('died')))).rejects.toThrow('died');
    expect(await commands.once(deed, () => Promise.resolve({ replayed: 1 }))).toEqual({ replayed: 1 });
    expect(await commands.list({ limit: 10 })).toHaveLength(1);
  });
});
