// The lives of a database, told apart by what a real PostgreSQL says of itself.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { migrate, openDatabase, type Database } from '@twinkey/journal';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { Incarnations } from './incarnations.js';

let server: TestDatabase;
let database: Database;
const complaints: string[] = [];
const quiet = () => undefined;
const note = (_: object, message: string) => void complaints.push(message);
const log = { debug: quiet, info: quiet, warn: note, error: note, child: () => log };

beforeAll(async () => {
  server = await testDatabase();
  database = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec' });
  await migrate(database, [new URL('../migrations/', import.meta.url)]);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

describe('a database', () => {
  it('has its first life, and keeps it across restarts of the service', async () => {
    expect(await new Incarnations(database, log).look()).toBe(0);
    expect(await new Incarnations(database, log).current()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('has another one on another timeline or cluster, which every rotator finds to be the same', async () => {
    const elsewhere = () => Promise.resolve({ system: 'restored', timeline: '00000002' });
    const rotators = [1, 2].map(() => new Incarnations(database, log, elsewhere));
    expect(await Promise.all(rotators.map((one) => one.look()))).toEqual([1, 1]);
    expect(complaints.join()).toContain('restored');
    expect(await new Incarnations(database, log).look()).toBe(2);
  });

  it('that says nothing of itself stays in the life that is known', async () => {
    const silent = new Incarnations(database, log, () => Promise.reject(new Error('permission denied')));
    expect(await silent.look()).toBe(2);
    expect(silent.known).toBe(2);
  });
});
