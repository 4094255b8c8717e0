import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import {
  appendOutbox,
  migrate,
  openDatabase,
  OutboxRelay,
  Writer,
  type Database,
  type OutboxMessage,
  type RelayOptions,
  type StoredOutboxMessage,
} from './index.js';

let server: TestDatabase;
let database: Database;
let sent: StoredOutboxMessage[];
const relays: OutboxRelay[] = [];

beforeAll(async () => {
  server = await testDatabase();
  database = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec' });
  await migrate(database, []);
});

afterAll(async () => {
  await database.close();
  await server.drop();
});

beforeEach(async () => {
  sent = [];
  await sql`delete from outbox`.execute(database.kysely);
});

afterEach(async () => {
  for (const relay of relays.splice(0)) await relay.stop();
});

const accept = (messages: readonly StoredOutboxMessage[]) => {
  sent.push(...messages);
  return Promise.resolve();
};

/** Looks once an hour unless woken, so that what a spec sees was not the work of a lucky poll. */
function relay(options: Partial<RelayOptions> = {}): OutboxRelay {
  const made = new OutboxRelay(database, { send: accept, idleMs: 3_600_000, ...options });
  relays.push(made);
  return made;
}

function message(id: string, orderKey = 'k', more: Partial<OutboxMessage> = {}): OutboxMessage {
  return { id, entity: 'switch-requests', body: { id }, orderKey, ...more };
}

function append(...messages: OutboxMessage[]): Promise<void> {
  return database.kysely.transaction().execute((trx) => appendOutbox(trx, messages));
}

const sentIds = () => sent.map(({ id }) => id);
const idsOf = (key: string) => sent.filter((m) => m.orderKey === key).map(({ id }) => id);

describe('a relay', () => {
  it('sends what waits when it starts, whole and in order', async () => {
    const full = message('a', 'k', { subject: 'account', traceparent: '00-trace', body: [1, null] });
    await append(full, message('b'), message('c'));
    relay().start();
    await until(() => sent.length === 3);
    expect(sentIds()).toEqual(['a', 'b', 'c']);
    expect(sent[0]).toMatchObject(full);
  });

  it('is woken by commits of transactions and of the writer', async () => {
    const one = relay();
    one.start();
    await append(message('a'));
    await until(() => sent.length === 1);
    const writer = new Writer(database);
    const change = { stream: 'woken', expectedVersion: 0, state: {}, lookAgainAt: null, events: [] };
    await writer.commit({ ...change, outbox: [message('b')] });
    await until(() => sent.length === 2);
    await writer.close();
    await until(async () => (await one.lag()).waiting === 0);
  });

  it('finds by looking what another process appended', async () => {
    relay({ idleMs: 20 }).start();
    await sql`insert into outbox (id, entity, body, order_key) values ('a', 'q', '{}', 'k')`.execute(
      database.kysely,
    );
    await until(() => sent.length === 1);
  });

  it('works through more than a batch', async () => {
    const many = Array.from({ length: 25 }, (_, n) => message(`m${n}`, `k${n % 3}`));
    await append(...many);
    relay({ batch: 10 }).start();
    await until(() => sent.length === 25);
    expect(sentIds()).toEqual(many.map(({ id }) => id));
  });

  it('keeps a message until its time has come', async () => {
    const soon = new Date(Date.now() + 2_000); // a busy machine may need as long to append it
    await append(message('later', 'k', { notBefore: soon }), message('now'));
    relay({ idleMs: 10 }).start();
    await until(() => sent.length === 2);
    expect(sentIds()).toEqual(['now', 'later']);
    expect(Date.now()).toBeGreaterThanOrEqual(soon.getTime());
  });

  it('says what is waiting and for how long', async () => {
    await append(message('a'), message('b'));
    await append(message('c', 'k', { notBefore: new Date(Date.now() + 60_000) }));
    await sql`update outbox set appended_at = now() - interval '90 seconds' where id = 'a'`.execute(
      database.kysely,
    );
    const { waiting, oldestSeconds } = await relay().lag();
    expect(waiting).toBe(2);
    expect(Math.round(oldestSeconds)).toBeGreaterThanOrEqual(90);
  });
});

describe('a relay that dies between sending and remembering', () => {
  it('leaves the message to the next one, under the same id', async () => {
    await append(message('a'), message('b'));
    const dead: Promise<void>[] = [];
    const dying = relay({
      send: async (messages) => {
        sent.push(...messages);
        // Its connection is the only one with an open transaction; without it nothing can be marked any more.
        await sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and state = 'idle in transaction'`.execute(database.kysely);
        dead.push(dying.stop());
      },
    });
    dying.start();
    await until(() => dead.length > 0);
    await Promise.all(dead);
    expect(sentIds()).toEqual(['a', 'b']);
    relay().start();
    await until(() => sent.length === 4);
    expect(sentIds()).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('a broker that refuses', () => {
  it('gets everything in order once it accepts again', async () => {
    let refusals = 4;
    const send: RelayOptions['send'] = (messages) =>
      refusals-- > 0 ? Promise.reject(new Error('no link')) : accept(messages);
    await append(message('a1', 'a'), message('b1', 'b'), message('a2', 'a'), message('b2', 'b'));
    relay({ send }).start();
    await until(() => sent.length === 4);
    expect(idsOf('a')).toEqual(['a1', 'a2']);
    expect(idsOf('b')).toEqual(['b1', 'b2']);
  });

  it('one message keeps the others of its key waiting and nobody else’s', async () => {
    let poisoned = true;
    const send: RelayOptions['send'] = (messages) =>
      poisoned && messages.some(({ id }) => id === 'b1')
        ? Promise.reject(new Error('too large'))
        : accept(messages);
    await append(message('a1', 'a'), message('b1', 'b'), message('b2', 'b'), message('c1', 'c'));
    relay({ send }).start();
    await until(() => sent.length === 2);
    expect(sentIds()).toEqual(['a1', 'c1']);
    poisoned = false;
    await until(() => sent.length === 4);
    expect(idsOf('b')).toEqual(['b1', 'b2']);
  });
});

describe('two relays of one schema', () => {
  it('send every message once and each key in order', async () => {
    const slowly: RelayOptions['send'] = async (messages) => {
      await new Promise(setImmediate);
      await accept(messages);
    };
    for (let n = 0; n < 2; n++) relay({ send: slowly, batch: 7, idleMs: 5 }).start();
    const ids = Array.from({ length: 60 }, (_, n) => n);
    await Promise.all(
      [0, 1, 2].map(async (key) => {
        for (const n of ids.filter((i) => i % 3 === key)) await append(message(`m${n}`, `k${key}`));
      }),
    );
    await until(() => sent.length >= 60);
    expect(new Set(sentIds()).size).toBe(sent.length);
    for (const key of [0, 1, 2])
      expect(idsOf(`k${key}`)).toEqual(ids.filter((i) => i % 3 === key).map((n) => `m${n}`));
  });
});

describe('a relay that is stopped', () => {
  it('first sends what is waiting', async () => {
    const one = relay({ batch: 2 });
    one.start();
    await until(async () => (await one.lag()).waiting === 0);
    const appended = append(...['a', 'b', 'c', 'd', 'e'].map((id) => message(id)));
    await appended;
    await one.stop();
    expect(sentIds()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('does not wait for a broker that never answers', async () => {
    await append(message('a'));
    let asked = false;
    const one = relay({
      send: () => {
        asked = true;
        return new Promise(() => undefined);
      },
    });
    one.start();
    await until(() => asked);
    await one.stop({ withinMs: 50 });
    const { waiting } = await one.lag();
    expect(waiting).toBe(1);
    relay().start(); // its turn has ended with its connection
    await until(() => sent.length === 1);
  });
});
