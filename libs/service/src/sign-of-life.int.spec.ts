import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readMessage, RegistryEvent } from '@twinkey/contracts';
import { migrate, openDatabase, type Database } from '@twinkey/journal';
import { fixedClock, testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { signOfLife } from './sign-of-life.js';

let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await testDatabase();
  database = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec' });
  await migrate(database, []);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

describe('a service that does its rounds', () => {
  it('says so every 15 seconds', async () => {
    const clock = fixedClock(new Date('2026-03-02T08:00:00Z'));
    const alive = signOfLife({ name: 'rotator', database, clock: () => clock.now() });
    for (let second = 0; second < 30; second += 1) {
      await alive();
      clock.advance({ seconds: 1 });
    }
    const { rows } = await sql<{ body: unknown }>`select body from outbox order by seq`.execute(
      database.kysely,
    );
    const read = rows.map(({ body }) => readMessage(RegistryEvent, body));
    expect(read.map((each) => (each.ok ? each.message.data.what : each.problem))).toEqual(
      [1, 2].map(() => ({
        event: 'service-alive',
        service: 'rotator',
        startedAt: '2026-03-02T08:00:00.000Z',
      })),
    );
  });
});
