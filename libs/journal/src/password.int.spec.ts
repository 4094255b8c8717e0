import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { openDatabase, type Database } from './index.js';
import { insideOf } from './database.js';

const role = `asked_${process.pid}`;
let server: TestDatabase;
let url: string;
let administrator: Database;
const opened: Database[] = [];

beforeAll(async () => {
  server = await testDatabase();
  administrator = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec' });
  await sql.raw(`create role ${role} login password 'first'`).execute(administrator.kysely);
  const nobody = new URL(server.url);
  nobody.username = role;
  nobody.password = '';
  url = nobody.toString();
});

afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()));
  await sql.raw(`drop role ${role}`).execute(administrator.kysely);
  await administrator.close();
  await server.drop();
});

async function open(password: () => Promise<string>): Promise<Database> {
  const database = await openDatabase({ url, schema: 'rotator', applicationName: 'spec', password });
  opened.push(database);
  return database;
}

describe('a database that is asked for passwords', () => {
  it('is opened with the one of the moment, at every connection: what the last one had may be over', async () => {
    const asked: string[] = [];
    let current = 'first';
    const database = await open(() => {
      asked.push(current);
      return Promise.resolve(current);
    });
    await Promise.all([database.ping(), database.ping()]); // one connection or two
    const before = asked.length;
    expect(before).toBeGreaterThan(0);

    current = 'second';
    await sql.raw(`alter role ${role} password 'second'`).execute(administrator.kysely);
    const client = insideOf(database).newClient({}); // writer and relay have connections of their own
    await client.connect();
    await client.end();
    expect(asked.slice(before)).toEqual(['second']);
    await database.ping(); // what is open stays open
    expect(asked).toHaveLength(before + 1);
  });

  it('says that no token can be had, and what to look at; and is there when it can be had again', async () => {
    await sql.raw(`alter role ${role} password 'third'`).execute(administrator.kysely);
    let isRefused = true;
    const database = await open(() =>
      isRefused
        ? Promise.reject(new Error('AADSTS7000215: Invalid client secret.'))
        : Promise.resolve('third'),
    );
    await expect(database.ping()).rejects.toMatchObject({
      name: 'TransientFault',
      code: 'database-token-unavailable',
      message: expect.stringMatching(/AADSTS7000215: Invalid client secret\. Check AZURE_TENANT_ID/),
    });
    isRefused = false;
    await database.ping();
  });

  it('says that the token is not taken without sending anybody to look for a password', async () => {
    const database = await open(() => Promise.resolve('hush'));
    const refusal = database.ping();
    await expect(refusal).rejects.toMatchObject({
      name: 'TransientFault', // a service that starts waits for the role
      code: 'database-token-refused',
      message: expect.stringContaining('twinkey doctor'),
    });
    await expect(refusal).rejects.not.toThrow(/hush/);
  });

  it.each([
    ['a password of its own', 'postgres://rotator:hush@db.example/twinkey?sslmode=verify-full'],
    ['no user', 'postgres://db.example/twinkey?sslmode=verify-full'],
    ['no TLS', 'postgres://rotator@db.example/twinkey'],
    ['TLS with whoever answers', 'postgres://rotator@db.example/twinkey?sslmode=no-verify'],
  ])('is not opened by a url with %s', async (_, wrong) => {
    const opening = openDatabase({
      url: wrong,
      schema: 'rotator',
      applicationName: 'spec',
      password: () => Promise.resolve('token'),
    });
    await expect(opening).rejects.toMatchObject({ code: 'database-url-invalid' });
    await expect(opening).rejects.not.toThrow(/hush/);
  });

  it('is opened by a url with a user, and TLS that knows whom it talks to', async () => {
    const database = await openDatabase({
      url: 'postgres://rotator@db.example/twinkey?sslmode=verify-full',
      schema: 'rotator',
      applicationName: 'spec',
      password: () => Promise.resolve('token'),
    });
    await database.close();
  });
});
