import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testDatabase, until, type TestDatabase } from '@twinkey/testing';
import {
  leaseRemainingMs,
  migrate,
  openDatabase,
  releaseLease,
  renewLease,
  takeLease,
  type Database,
  type LeaseGrant,
} from './index.js';

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

let names = 0;
const newName = () => `lease-${++names}`;
const minute = 60_000;

function take(name: string, holder: string, ttlMs = minute) {
  return takeLease(database, { name, holder, ttlMs });
}

async function taken(name: string, holder: string, ttlMs = minute): Promise<LeaseGrant> {
  const grant = await take(name, holder, ttlMs);
  if (!grant) throw new Error(`${name} should have been free for ${holder}.`);
  return grant;
}

describe('a lease', () => {
  it('belongs to one holder at a time', async () => {
    const name = newName();
    const all = await Promise.all(Array.from({ length: 8 }, (_, n) => take(name, `holder-${n}`)));
    expect(all.filter((grant) => grant !== null)).toHaveLength(1);
  });

  it('is renewed under its epoch when its holder takes it again', async () => {
    const name = newName();
    const first = await taken(name, 'a');
    const again = await taken(name, 'a');
    expect(again.epoch).toBe(first.epoch);
    expect(again.safeUntil).toBeGreaterThan(first.safeUntil);
  });

  it('counts its safe time from before it was asked for', async () => {
    const before = performance.now();
    const { safeUntil } = await taken(newName(), 'a', 500);
    expect(safeUntil).toBeGreaterThanOrEqual(before + 500);
    expect(safeUntil).toBeLessThan(performance.now() + 500);
  });

  it('has nothing left once its time is over', () => {
    const grant = { name: 'n', holder: 'a', epoch: 1, safeUntil: performance.now() - 1 };
    expect(leaseRemainingMs(grant)).toBe(0);
    expect(leaseRemainingMs({ ...grant, safeUntil: performance.now() + 900 })).toBeGreaterThan(0);
  });
});

describe('a lease that ran out', () => {
  it('goes to the next taker under a new epoch, and its old holder is fenced off', async () => {
    const name = newName();
    const old = await taken(name, 'a', 1);
    const next = await until(() => take(name, 'b'));
    expect(next.epoch).toBe(old.epoch + 1);
    expect(await renewLease(database, old, minute)).toBeNull();
    expect(await take(name, 'a')).toBeNull();
    await releaseLease(database, old);
    expect(await renewLease(database, next, minute)).toMatchObject({ epoch: next.epoch });
  });

  it('comes back to its own holder under a new epoch too', async () => {
    const name = newName();
    const old = await taken(name, 'a', 1);
    const again = await until(async () => {
      const grant = await taken(name, 'a', 1);
      return grant.epoch > old.epoch && grant;
    });
    expect(again.epoch).toBeGreaterThan(old.epoch);
    expect(await renewLease(database, old, minute)).toBeNull();
  });
});

describe('a lease that is given back', () => {
  it('is free at once, under the next epoch', async () => {
    const name = newName();
    const old = await taken(name, 'a');
    await releaseLease(database, old);
    expect((await taken(name, 'b')).epoch).toBe(old.epoch + 1);
  });
});
