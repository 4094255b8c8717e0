import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { migrate, openDatabase, type Database } from './index.js';

let server: TestDatabase;
let folder: string;
const opened: Database[] = [];

beforeEach(async () => {
  server = await testDatabase();
  folder = await mkdtemp(path.join(tmpdir(), 'migrations-'));
});

afterEach(async () => {
  for (const database of opened.splice(0)) await database.close();
  await server.drop();
  await rm(folder, { recursive: true });
});

async function open(schema = 'rotator'): Promise<Database> {
  const database = await openDatabase({ url: server.url, schema, applicationName: 'spec' });
  opened.push(database);
  return database;
}

async function file(name: string, text: string): Promise<URL> {
  await writeFile(path.join(folder, name), text);
  return pathToFileURL(folder);
}

const own = '00/0001-what-every-service-keeps';

describe('a service that starts on an empty database', () => {
  it('gets its schema, our tables and then its own', async () => {
    const url = await file('0001-accounts.sql', 'create table account as select name from stream');
    const database = await open();
    expect(await migrate(database, [url])).toEqual([own, '01/0001-accounts']);
    expect(await migrate(database, [url])).toEqual([]);
    expect((await sql`select * from rotator.account`.execute(database.kysely)).rows).toEqual([]);
  });

  it('keeps to its own schema', async () => {
    const [rotator, notifier] = [await open('rotator'), await open('notifier')];
    await migrate(rotator, []);
    await migrate(notifier, []);
    await sql`insert into inbox values ('h', 'm')`.execute(rotator.kysely);
    expect(await notifier.kysely.selectFrom('inbox').selectAll().execute()).toEqual([]);
  });
});

describe('several services and replicas that start at once', () => {
  it('apply every migration once', async () => {
    const url = await file('0001-accounts.sql', 'create table account ()');
    const schemas = ['rotator', 'rotator', 'rotator', 'notifier', 'notifier', 'scheduler'];
    const databases = await Promise.all(schemas.map(open));
    const applied = await Promise.all(databases.map((database) => migrate(database, [url])));
    expect(applied.flat().sort()).toEqual([own, own, own, ...Array<string>(3).fill('01/0001-accounts')]);
  });
});

describe('a migration added later', () => {
  it('is applied, be it ours or the service’s', async () => {
    const database = await open();
    await migrate(database, [await file('0002-later.sql', 'create table later ()')]);
    const url = await file('0001-earlier.sql', 'create table earlier ()');
    expect(await migrate(database, [url])).toEqual(['01/0001-earlier']);
  });

  it('does not keep a replica of the release before from starting', async () => {
    const database = await open();
    await migrate(database, [await file('0001-new.sql', 'create table new ()')]);
    expect(await migrate(database, [])).toEqual([]);
  });
});

describe('a migration that fails', () => {
  it('leaves nothing behind and is named', async () => {
    const url = await file('0001-wrong.sql', 'create table half (); create tabel other ()');
    const database = await open();
    await expect(migrate(database, [url])).rejects.toMatchObject({
      name: 'PermanentFault',
      code: 'migration-failed',
      message: expect.stringContaining('01/0001-wrong failed: syntax error') as unknown,
    });
    await expect(sql`select * from half`.execute(database.kysely)).rejects.toThrow('does not exist');
  });

  it('is refused for its name before anything runs', async () => {
    const url = await file('wrong.sql', 'select 1');
    await expect(migrate(await open(), [url])).rejects.toThrow('must be named like 0001-');
  });
});
