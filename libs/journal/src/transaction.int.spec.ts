import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import {
  appendJournal,
  appendOutbox,
  migrate,
  onOutboxAppended,
  openDatabase,
  prune,
  readJournal,
  record,
  rememberMessage,
  type Database,
} from './index.js';

let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await testDatabase();
  database = await openDatabase({ url: server.url, schema: 'scheduler', applicationName: 'spec' });
  await migrate(database, []);
});

afterAll(async () => {
  await database.close();
  await server.drop();
});

const message = (id: string) => ({ id, entity: 'rotation-due', body: { id }, orderKey: 'k' });
const at = new Date('2026-03-01T10:00:00Z');

async function outboxIds(): Promise<string[]> {
  const rows = await database.kysely.selectFrom('outbox').select('id').orderBy('seq').execute();
  return rows.map(({ id }) => id);
}

describe('messages appended in a transaction', () => {
  it('wait in their order, each id once', async () => {
    await database.kysely.transaction().execute(async (trx) => {
      await appendOutbox(trx, [message('b'), message('a'), message('b')]);
      await appendOutbox(trx, [message('a'), message('c')]);
    });
    expect(await outboxIds()).toEqual(['b', 'a', 'c']);
  });

  it('are announced after the commit, and not at all after a rollback', async () => {
    let heard = 0;
    const stopListening = onOutboxAppended(database, () => heard++);
    await database.kysely.transaction().execute(async (trx) => {
      await appendOutbox(trx, [message('announced')]);
      expect(heard).toBe(0);
    });
    expect(heard).toBe(1);
    const failed = database.kysely.transaction().execute(async (trx) => {
      await appendOutbox(trx, [message('rolled back')]);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    await database.kysely.transaction().execute((trx) => sql`select 1`.execute(trx));
    expect(heard).toBe(1);
    expect(await outboxIds()).not.toContain('rolled back');
    stopListening();
  });
});

describe('the inbox', () => {
  const remember = (handler: string, id: string) =>
    database.kysely.transaction().execute((trx) => rememberMessage(trx, handler, id));

  it('knows a message again, per handler', async () => {
    expect(await remember('on-due', 'm1')).toBe(true);
    expect(await remember('on-due', 'm1')).toBe(false);
    expect(await remember('on-command', 'm1')).toBe(true);
  });

  it('forgets a message whose handling was rolled back', async () => {
    const failed = database.kysely.transaction().execute(async (trx) => {
      await rememberMessage(trx, 'on-due', 'm2');
      throw new Error('could not handle it');
    });
    await expect(failed).rejects.toThrow();
    expect(await remember('on-due', 'm2')).toBe(true);
  });

  it('lets one of two deliveries through when they arrive together', async () => {
    const both = await Promise.all([remember('on-due', 'm3'), remember('on-due', 'm3')]);
    expect(both.sort()).toEqual([false, true]);
  });
});

describe('the journal', () => {
  it('keeps events in their order and refuses to change them', async () => {
    const events = ['noticed', 'adopted'].map((type) => ({ type, data: { type }, at }));
    await database.kysely.transaction().execute((trx) => appendJournal(trx, 'account', events));
    expect(await readJournal(database, 'account')).toMatchObject(events);
    for (const statement of [
      sql`update journal set type = 'other'`,
      sql`delete from journal`,
      sql`truncate journal`,
    ])
      await expect(statement.execute(database.kysely)).rejects.toThrow('append-only');
  });
});

describe('what a transaction says in the end', () => {
  it('is said together: events, messages, and what changes with them', async () => {
    await sql`create table thing (name text primary key, version integer not null)`.execute(database.kysely);
    await sql`insert into thing values ('a', 1), ('b', 1)`.execute(database.kysely);
    const step = (name: string) => sql`update thing set version = version + 1 where name = ${name}`;
    await database.kysely.transaction().execute((trx) =>
      record(trx, {
        events: [
          { stream: 'said-1', events: [{ type: 'first', data: {}, at }] },
          { stream: 'silent', events: [] },
          {
            stream: 'said-2',
            events: [
              { type: 'first', data: {}, at },
              { type: 'second', data: {}, at },
            ],
          },
        ],
        messages: [message('said')],
        changes: [step('a'), step('b')],
      }),
    );
    expect((await readJournal(database, 'said-2')).map(({ type }) => type)).toEqual(['first', 'second']);
    expect(await readJournal(database, 'said-1')).toHaveLength(1);
    expect(await outboxIds()).toContain('said');
    const { rows } = await sql`select version from thing order by name`.execute(database.kysely);
    expect(rows).toEqual([{ version: 2 }, { version: 2 }]);
  });

  it('may be nothing at all, or a change alone', async () => {
    await database.kysely.transaction().execute(async (trx) => {
      await record(trx, {});
      await record(trx, { changes: [sql`delete from thing where name = ${'b'}`] });
    });
    const { rows } = await sql`select name from thing`.execute(database.kysely);
    expect(rows).toEqual([{ name: 'a' }]);
  });
});

describe('a statement that was prepared', () => {
  it('goes on being answered while a newer version adds a column to its table', async () => {
    const found = () =>
      database.kysely
        .transaction()
        .execute((trx) => sql`select name, version from thing where name = ${'a'}`.execute(trx));
    const asked = () => sql`select * from thing where name = ${'a'}`.execute(database.kysely);
    // One after the other, so that all of them meet on one connection.
    for (let time = 0; time < 8; time += 1) {
      await found();
      await asked();
    }
    await sql`alter table thing add column note text`.execute(database.kysely);
    expect((await found()).rows).toEqual([{ name: 'a', version: 2 }]);
    expect((await asked()).rows).toEqual([{ name: 'a', version: 2, note: null }]);
  });
});

describe('pruning', () => {
  it('removes what was sent or handled long ago and nothing that waits', async () => {
    await sql`delete from outbox`.execute(database.kysely);
    await sql`delete from inbox`.execute(database.kysely);
    await database.kysely.transaction().execute(async (trx) => {
      await appendOutbox(trx, ['old', 'new', 'waiting'].map(message));
      await rememberMessage(trx, 'h', 'old');
      await rememberMessage(trx, 'h', 'new');
    });
    const ago = sql`clock_timestamp() - interval '2 hours'`;
    await sql`update outbox set sent_at = case id when 'old' then ${ago} when 'new' then now() end`.execute(
      database.kysely,
    );
    await sql`update outbox set appended_at = ${ago}`.execute(database.kysely);
    await sql`update inbox set handled_at = ${ago} where message_id = 'old'`.execute(database.kysely);
    expect(await prune(database, { keepMs: 3_600_000 })).toEqual({ outbox: 1, inbox: 1 });
    expect(await outboxIds()).toEqual(['new', 'waiting']);
  });
});
