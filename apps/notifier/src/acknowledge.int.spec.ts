import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  ConsumerName,
  generation,
  KeyAcknowledged,
  TransientFault,
  writeMessage,
  type Message,
} from '@twinkey/contracts';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { acknowledge, acknowledgeTogether } from './acknowledge.js';
import { declare } from './declare.js';
import { Gathering } from './gathering.js';
import { register } from './register.js';
import { requestSwitch } from './request-switch.js';
import { showSwitch } from './show.js';
import {
  accountCalled,
  createSchema,
  declared,
  forgetEverything,
  openReplica,
  requested,
  type Replica,
} from './trial/replica.js';
import { newVoice, signedBy, type Voice } from './trial/voice.js';

const account = accountCalled('speech-weu');
const consumer = ConsumerName.parse('web-shop');
let database: TestDatabase;
let strict: Replica;
/** The journal only grows: what was in it when the test began. */
let before = 0;

beforeAll(async () => {
  database = await testDatabase({ prepare: createSchema });
  strict = await openReplica(database.url, { asksForTokens: true });
});
beforeEach(async () => {
  await forgetEverything(strict.db);
  before = (await noted(0)).length;
  await declare(strict.shell, declared('speech-weu'));
  await requestSwitch(strict.shell, requested('speech-weu'));
});
afterAll(async () => {
  await strict.close();
  await database.drop();
});

interface Member {
  readonly instance: Awaited<ReturnType<typeof register>>['instance'];
  readonly boot: string;
  readonly voice: Voice;
}

async function join(): Promise<Member> {
  const [voice, boot] = [newVoice(), randomUUID()];
  const answer = await register(strict.shell, {
    consumer,
    name: 'pod',
    boot,
    accounts: ['speech-weu'],
    channel: 'service-bus',
    voice: voice.registered.toString('base64url'),
  });
  return { instance: answer.instance, boot, voice };
}

function said(
  { instance, boot, voice }: Member,
  changes: Partial<{ generation: number; id: string; by: Voice; boot: string; drainedAt: string }> = {},
): Message<KeyAcknowledged> {
  const { id = randomUUID(), by = voice, generation: number = 1, ...rest } = changes;
  const time = new Date();
  const data = signedBy(by, {
    account,
    consumer,
    instance,
    boot,
    generation: generation(number),
    at: time.toISOString(),
    ...rest,
  });
  return writeMessage(KeyAcknowledged, { id, source: 'twinkey/consumer', time, data });
}

async function known(): Promise<Readonly<Record<string, number>>> {
  await strict.settled();
  const { instances } = await showSwitch(strict.shell, 'speech-weu');
  return Object.fromEntries(instances.map((each) => [each.instance, each.acknowledged]));
}

async function noted(from = before): Promise<readonly { stream: string; generation: number }[]> {
  const { rows } = await sql<{ stream: string; generation: number }>`
    select stream, (data->>'generation')::int as generation from journal
    where type = 'generation-acknowledged' order by seq`.execute(strict.db);
  return rows.slice(from);
}

describe('acknowledgements that come together', () => {
  it('are kept like those that come alone, each in the journal of its instance', async () => {
    const members = await Promise.all(Array.from({ length: 5 }, join));
    await acknowledgeTogether(
      strict.shell,
      account,
      members.map((member) => said(member)),
    );
    expect(await known()).toEqual(Object.fromEntries(members.map(({ instance }) => [instance, 1])));
    expect(await noted()).toEqual(members.map(({ instance }) => ({ stream: instance, generation: 1 })));
  });

  it('are each judged by themselves: a forged one, a stranger and an earlier start count for nothing, the others do', async () => {
    const [one, two, three, another] = [await join(), await join(), await join(), await join()];
    const stranger = { ...another, instance: `${another.instance.slice(0, -4)}ffff` as Member['instance'] };
    await acknowledgeTogether(strict.shell, account, [
      said(one),
      said(two, { by: one.voice }),
      said(stranger),
      said(three, { boot: randomUUID() }),
      said(another),
    ]);
    expect(await known()).toEqual({
      [one.instance]: 1,
      [two.instance]: 0,
      [three.instance]: 0,
      [another.instance]: 1,
    });
  });

  it('do not lose the true one to a forged one of the same id, before it or after it', async () => {
    const [one, two] = [await join(), await join()];
    await acknowledgeTogether(strict.shell, account, [
      said(one, { id: 'a', by: two.voice }),
      said(one, { id: 'a' }),
      said(two, { id: 'b' }),
      said(two, { id: 'b', by: one.voice }),
    ]);
    expect(await known()).toEqual({ [one.instance]: 1, [two.instance]: 1 });
  });

  it('of one instance count in their order, and one that is delivered twice counts once', async () => {
    const one = await join();
    await requestSwitch(strict.shell, requested('speech-weu', { generation: 2 }));
    const [first, second] = [said(one, { id: 'g1' }), said(one, { id: 'g2', generation: 2 })];
    await acknowledgeTogether(strict.shell, account, [first, second, first, second]);
    expect(await known()).toEqual({ [one.instance]: 2 });
    expect((await noted()).map((each) => each.generation)).toEqual([1, 2]);
    await acknowledgeTogether(strict.shell, account, [second]);
    expect(await noted()).toHaveLength(2);
  });

  it('end in no deadlock when two replicas hear the same ones in another order', async () => {
    const other = await openReplica(database.url, { asksForTokens: true });
    const members = await Promise.all(Array.from({ length: 12 }, join));
    const messages = members.map((member, index) => said(member, { id: `m-${index}` }));
    await Promise.all([
      acknowledgeTogether(strict.shell, account, messages),
      acknowledgeTogether(other.shell, account, messages.toReversed()),
    ]);
    await other.close();
    expect(await noted()).toHaveLength(members.length);
    expect(new Set(Object.values(await known()))).toEqual(new Set([1]));
  });
});

describe('one among them that the database refuses', () => {
  it('fails alone: those that came with it are kept', async () => {
    const members = [await join(), await join(), await join()];
    const gathering = new Gathering(
      (key: typeof account, messages: readonly Message<KeyAcknowledged>[]) =>
        acknowledgeTogether(strict.shell, key, messages),
      { atOnce: 1, most: 10 },
    );
    const [one, two, three] = members.map((member) => said(member));
    if (!one || !two || !three) throw new Error('three joined');
    // PostgreSQL keeps no text with this character in it.
    const unspeakable = { ...two, id: `\u0000` };
    const first = gathering.add(account, said(await join()));
    const ends = await Promise.allSettled([
      first,
      ...[one, unspeakable, three].map((message) => gathering.add(account, message)),
    ]);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    const [a, b, c] = members.map(({ instance }) => instance);
    expect(await known()).toMatchObject({ [a ?? '']: 1, [b ?? '']: 0, [c ?? '']: 1 });
    await acknowledge(strict.shell, two);
    expect(await known()).toMatchObject({ [b ?? '']: 1 });
  });
});

describe('what gathers while something is worked off', () => {
  /** Turns end when the spec says so. */
  function heldTurns(atOnce = 2, most = 3) {
    const turns: { key: string; items: readonly number[]; end: (error?: Error) => void }[] = [];
    const gathering = new Gathering<string, number>(
      (key, items) =>
        new Promise((resolve, reject) => {
          turns.push({
            key,
            items,
            end: (error) => {
              if (error === undefined) resolve();
              else reject(error);
            },
          });
        }),
      { atOnce, most },
    );
    const next = async (): Promise<void> => {
      for (let round = 0; round < 10; round += 1) await Promise.resolve();
    };
    return { gathering, turns, next };
  }

  it('waits for nobody when it is the first, and is the next turn when it comes later', async () => {
    const { gathering, turns, next } = heldTurns();
    const ends = [1, 2, 3, 4, 5].map((item) => gathering.add('a', item));
    expect(turns.map(({ items }) => items)).toEqual([[1]]);
    turns[0]?.end();
    await next();
    expect(turns.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
    turns[1]?.end();
    await next();
    expect(turns.map(({ items }) => items)).toEqual([[1], [2, 3, 4], [5]]);
    turns[2]?.end();
    await Promise.all(ends);
  });

  it('of different keys is worked off at the same time, and no key keeps another one waiting for ever', async () => {
    const { gathering, turns, next } = heldTurns(2, 1);
    for (const key of ['a', 'a', 'b', 'c']) void gathering.add(key, 0);
    expect(turns.map(({ key }) => key)).toEqual(['a', 'b']);
    turns[0]?.end();
    await next();
    expect(turns.map(({ key }) => key)).toHaveLength(3);
    turns[1]?.end();
    await next();
    expect(turns.map(({ key }) => key).sort()).toEqual(['a', 'a', 'b', 'c']);
  });

  it('fails together when the database is away, so that nobody asks it one by one', async () => {
    const { gathering, turns, next } = heldTurns();
    const ends = Promise.allSettled([1, 2, 3].map((item) => gathering.add('a', item)));
    turns[0]?.end();
    await next();
    turns[1]?.end(new TransientFault('database-unreachable', 'PostgreSQL does not answer.'));
    expect((await ends).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(turns).toHaveLength(2);
  });
});
