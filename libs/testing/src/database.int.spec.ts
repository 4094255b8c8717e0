import { afterAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { testCluster, testDatabase, type TestDatabase } from './index.js';

const databases: TestDatabase[] = [];

afterAll(async () => {
  for (const database of databases) await database.drop();
});

async function fresh(prepare?: (url: string) => Promise<void>): Promise<string> {
  const database = await testDatabase(prepare ? { prepare } : {});
  databases.push(database);
  return database.url;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('test databases', () => {
  it('share one server and know nothing of each other', async () => {
    const [one, other] = await Promise.all([fresh(), fresh()]);
    expect(new URL(one).port).toBe(new URL(other).port);
    await query(one, 'create table mine ()');
    await expect(query(other, 'select * from mine')).rejects.toThrow('does not exist');
  });

  it('are copies of what was prepared once', async () => {
    let prepared = 0;
    const prepare = async (url: string) => {
      prepared++;
      await query(url, 'create table counter as select 7 as n');
    };
    const [one, other] = await Promise.all([fresh(prepare), fresh(prepare)]);
    await query(one, 'update counter set n = 8');
    expect(await query(other, 'select n from counter')).toEqual([{ n: 7 }]);
    expect(prepared).toBe(1);
  });

  it('can be dropped while somebody is connected', async () => {
    const database = await testDatabase();
    const client = new Client({ connectionString: database.url });
    const lost = new Promise((resolve) => client.on('error', resolve));
    await client.connect();
    await database.drop();
    expect(await lost).toBeInstanceOf(Error);
    const { url } = await testCluster();
    const name = new URL(database.url).pathname.slice(1);
    expect(await query(url, `select 1 from pg_database where datname = '${name}'`)).toEqual([]);
  });
});
