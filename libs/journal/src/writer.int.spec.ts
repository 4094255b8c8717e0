import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import {
  appendJournal,
  loadStream,
  migrate,
  onOutboxAppended,
  openDatabase,
  readJournal,
  streamsToLookAt,
  takeLease,
  Writer,
  type Change,
  type Database,
} from './index.js';
import { commitStatement, plannerSettings } from './sql/commit-changes.js';

let server: TestDatabase;
let database: Database;
let writer: Writer;

beforeAll(async () => {
  server = await testDatabase();
  database = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec' });
  await migrate(database, []);
});

afterAll(async () => {
  await database.close();
  await server.drop();
});

beforeEach(() => {
  writer = new Writer(database);
});

afterEach(async () => {
  await writer.close();
});

let streams = 0;
const newStream = () => `stream-${++streams}`;
const at = new Date('2026-03-01T10:00:00Z');

function change(stream: string, expectedVersion: number, more: Partial<Change> = {}): Change {
  const state = { version: expectedVersion + 1 };
  return { stream, expectedVersion, state, lookAgainAt: null, events: [], outbox: [], ...more };
}

function message(id: string) {
  return { id, entity: 'switch-requests', body: { id }, orderKey: 'k' };
}

async function outboxIds(): Promise<string[]> {
  const rows = await database.kysely.selectFrom('outbox').select('id').orderBy('seq').execute();
  return rows.map(({ id }) => id);
}

describe('a change', () => {
  it('makes state, events and messages true together', async () => {
    const stream = newStream();
    const events = ['requested', 'intended'].map((type, n) => ({ type, data: { n }, at }));
    const outbox = [message(`${stream}-1`), message(`${stream}-2`)];
    expect(await writer.commit(change(stream, 0, { events, outbox }))).toEqual({
      committed: true,
      version: 1,
    });
    expect(await loadStream(database, stream)).toEqual({ version: 1, state: { version: 1 } });
    const stored = await readJournal(database, stream);
    expect(stored).toMatchObject(events);
    expect(await readJournal(database, stream, { after: stored[0]?.seq ?? 0 })).toHaveLength(1);
    expect(await outboxIds()).toEqual(expect.arrayContaining(outbox.map(({ id }) => id)));
  });

  it('leaves no trace when its version is stale', async () => {
    const stream = newStream();
    await writer.commit(change(stream, 0));
    const late = {
      events: [{ type: 'late', data: null, at }],
      outbox: [message(`${stream}-late`)],
      inbox: { handler: 'h', messageId: `${stream}-late` },
    };
    const refused = { committed: false, why: 'stale-version' };
    expect(await writer.commit(change(stream, 0, late))).toEqual(refused);
    expect(await writer.commit(change(stream, 2, late))).toEqual(refused);
    expect(await writer.commit(change(newStream(), 1, late))).toEqual(refused);
    expect(await readJournal(database, stream)).toEqual([]);
    expect(await outboxIds()).not.toContain(`${stream}-late`);
    expect(await writer.commit(change(stream, 1, late))).toMatchObject({ version: 2 });
  });

  it('is refused for a message that was handled before', async () => {
    const inbox = { handler: 'on-rotation-due', messageId: newStream() };
    const [first, second] = [newStream(), newStream()];
    await writer.commit(change(first, 0, { inbox }));
    expect(await writer.commit(change(second, 0, { inbox }))).toEqual({
      committed: false,
      why: 'message-already-handled',
    });
    expect(await loadStream(database, second)).toBeNull();
  });

  it('is refused when its lease has changed hands or run out', async () => {
    const stream = newStream();
    const mine = await takeLease(database, { name: stream, holder: 'a', ttlMs: 60_000 });
    if (!mine) throw new Error('The lease should have been free.');
    expect(await writer.commit(change(stream, 0, { lease: mine }))).toMatchObject({ version: 1 });
    await sql`update lease set expires_at = clock_timestamp() where name = ${stream}`.execute(
      database.kysely,
    );
    const lost = { committed: false, why: 'lease-lost' };
    expect(await writer.commit(change(stream, 1, { lease: mine }))).toEqual(lost);
    const theirs = await takeLease(database, { name: stream, holder: 'b', ttlMs: 60_000 });
    if (!theirs) throw new Error('The lease should have run out.');
    expect(await writer.commit(change(stream, 1, { lease: mine }))).toEqual(lost);
    expect(await writer.commit(change(stream, 1, { lease: theirs }))).toMatchObject({ version: 2 });
  });

  it('says when to look at the stream again, by the clock of the database', async () => {
    const [due, later, never] = [newStream(), newStream(), newStream()];
    await writer.commit(change(due, 0, { lookAgainAt: new Date(Date.now() - 1_000) }));
    await writer.commit(change(later, 0, { lookAgainAt: new Date(Date.now() + 60_000) }));
    await writer.commit(change(never, 0));
    expect(await streamsToLookAt(database, { limit: 10 })).toEqual([due]);
    await writer.commit(change(due, 1));
    expect(await streamsToLookAt(database, { limit: 10 })).toEqual([]);
  });

  it('wakes whoever waits for the outbox, once it is committed', async () => {
    let heard = 0;
    const stopListening = onOutboxAppended(database, () => heard++);
    await writer.commit(change(newStream(), 0));
    expect(heard).toBe(0);
    await writer.commit(change(newStream(), 0, { outbox: [message(newStream())] }));
    expect(heard).toBe(1);
    stopListening();
  });
});

describe('what is recorded', () => {
  it('is one line of the log for each event, once it is committed and not before', async () => {
    const lines: object[] = [];
    const quiet = () => undefined;
    const log = {
      debug: quiet,
      warn: quiet,
      error: quiet,
      info: (fields: object, text: string) => void lines.push({ ...fields, text }),
    };
    const told = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec', log });
    const own = new Writer(told);
    const stream = newStream();
    const events = [
      { type: 'RegenerationIntended', data: { slot: 'key1', seen: ['a', 'b'] }, at },
      { type: 'RegenerationAnswered', data: { slot: 'key1' }, at },
    ];
    await own.commit(change(stream, 0, { events, about: { rotationId: 'r-0123456789ab' } }));
    await own.commit(change(stream, 7, { events }));
    const line = { stream, slot: 'key1', rotationId: 'r-0123456789ab' };
    expect(lines).toEqual(events.map(({ type }) => ({ ...line, event: type, text: `Recorded: ${type}` })));

    lines.length = 0;
    const append = (fails: boolean) =>
      told.kysely.transaction().execute(async (trx) => {
        await appendJournal(trx, stream, [{ type: 'instance-lapsed', data: { instance: 'i-1' }, at }]);
        expect(lines).toEqual([]);
        if (fails) throw new Error('undone');
      });
    await expect(append(true)).rejects.toThrow('undone');
    await append(false);
    expect(lines).toMatchObject([{ stream, event: 'instance-lapsed', instance: 'i-1' }]);
    await own.close();
    await told.close();
  });
});

describe('many changes at once', () => {
  /** How many transactions wrote these streams: each row says which one wrote it. */
  async function transactionsThatWrote(names: readonly string[]): Promise<number> {
    const { rows } = await sql<{ count: string }>`
      select count(distinct xmin::text) from ${sql.table('stream')} where name = any(${[...names]})
    `.execute(database.kysely);
    return Number(rows[0]?.count);
  }

  it('share transactions', async () => {
    const names = Array.from({ length: 200 }, newStream);
    const create = names.map((name) => change(name, 0, { events: [{ type: 'e', data: {}, at }] }));
    await Promise.all(create.map((c) => writer.commit(c)));
    const transactions = await transactionsThatWrote(names);
    expect(transactions).toBeGreaterThan(0);
    expect(transactions).toBeLessThanOrEqual(2);
    for (const name of names) expect((await loadStream(database, name))?.version).toBe(1);
  });

  it('are refused one by one', async () => {
    const [old, fresh, other] = [newStream(), newStream(), newStream()];
    await writer.commit(change(old, 0));
    const messageId = newStream();
    await writer.commit(change(newStream(), 0, { inbox: { handler: 'h', messageId } }));
    const outcomes = await Promise.all([
      writer.commit(change(old, 7)),
      writer.commit(change(fresh, 0, { outbox: [message(fresh)] })),
      writer.commit(change(other, 0, { inbox: { handler: 'h', messageId } })),
      writer.commit(change(old, 1)),
    ]);
    expect(outcomes.map((o) => (o.committed ? o.version : o.why))).toEqual([
      'stale-version',
      1,
      'message-already-handled',
      2,
    ]);
  });

  it('of the same stream follow each other', async () => {
    const stream = newStream();
    const outcomes = await Promise.all(
      [0, 1, 2, 1, 3].map((version) =>
        writer.commit(change(stream, version, { events: [{ type: String(version), data: null, at }] })),
      ),
    );
    expect(outcomes.map(({ committed }) => committed)).toEqual([true, true, true, false, true]);
    const types = (await readJournal(database, stream)).map(({ type }) => type);
    expect(types).toEqual(['0', '1', '2', '3']);
  });

  it('caused by the same message pass once', async () => {
    const inbox = { handler: 'h', messageId: newStream() };
    const outcomes = await Promise.all(
      Array.from({ length: 3 }, () => writer.commit(change(newStream(), 0, { inbox }))),
    );
    expect(outcomes.map(({ committed }) => committed)).toEqual([true, false, false]);
  });

  it('survive those that cannot be stored', async () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const [kept, zeroByte, endless] = await Promise.allSettled([
      writer.commit(change(newStream(), 0)),
      writer.commit(change(`zero \u0000 byte`, 0)),
      writer.commit(change(newStream(), 0, { state: circular })),
    ]);
    expect(kept).toMatchObject({ status: 'fulfilled', value: { committed: true } });
    expect(zeroByte).toMatchObject({ status: 'rejected', reason: { code: '22021' } });
    expect(String(endless.status === 'rejected' && endless.reason)).toContain('circular');
  });

  it('of two writers on the same streams: each version is given out once', async () => {
    const names = Array.from({ length: 20 }, newStream);
    await Promise.all(names.map((name) => writer.commit(change(name, 0))));
    const rival = new Writer(database);
    const won = await Promise.all(
      names.flatMap((name, n) =>
        (n % 2 === 0 ? [writer, rival] : [rival, writer]).map((w) => w.commit(change(name, 1))),
      ),
    );
    await rival.close();
    expect(won.filter(({ committed }) => committed)).toHaveLength(names.length);
  });

  it('of two writers caused by the same message pass once', async () => {
    const rival = new Writer(database);
    for (let round = 0; round < 20; round++) {
      const inbox = { handler: 'h', messageId: newStream() };
      const outcomes = await Promise.all(
        [writer, rival].map((w) => w.commit(change(newStream(), 0, { inbox }))),
      );
      expect(outcomes.filter(({ committed }) => committed)).toHaveLength(1);
    }
    await rival.close();
  });
});

describe('a writer that is closed', () => {
  it('commits what was in line and refuses what comes later', async () => {
    const stream = newStream();
    const inLine = writer.commit(change(stream, 0));
    const closed = writer.close();
    await expect(writer.commit(change(stream, 1))).rejects.toMatchObject({ name: 'Interrupted' });
    await closed;
    expect(await inLine).toEqual({ committed: true, version: 1 });
  });
});

describe('the statement of a flush', () => {
  it('finds streams, leases and messages by index even if it was planned for empty tables', async () => {
    const lease = { name: 'l', holder: 'h', epoch: 1, safeUntil: 0 };
    const inbox = { handler: 'h', messageId: 'm' };
    const { text } = commitStatement([change('new', 0, { lease, inbox }), change('old', 1)]);
    const plan = await database.kysely.transaction().execute(async (trx) => {
      for (const [name, value] of Object.entries(plannerSettings))
        await sql`select set_config(${name}, ${value}, true)`.execute(trx);
      return sql.raw<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`).execute(trx);
    });
    const lines = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
    for (const index of ['stream_pkey', 'lease_pkey', 'inbox_pkey']) expect(lines).toContain(index);
    expect(lines).not.toMatch(/Seq Scan|Hash Join|Merge Join/);
  });
});
