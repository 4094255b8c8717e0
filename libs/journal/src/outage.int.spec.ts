import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isTransientFault } from '@twinkey/contracts';
import { startPostgres, type LocalPostgres } from '@twinkey/postgres-local';
import { until } from '@twinkey/testing';
import {
  appendOutbox,
  loadStream,
  migrate,
  openDatabase,
  OutboxRelay,
  Writer,
  type Database,
} from './index.js';

let dataDir: string;
let server: LocalPostgres;
let database: Database;
let writer: Writer;
let relay: OutboxRelay;
const sent: string[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'outage-'));
  server = await startPostgres({ dataDir, durable: false });
  database = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec' });
  await migrate(database, []);
  writer = new Writer(database);
  relay = new OutboxRelay(database, {
    send: (messages) => {
      sent.push(...messages.map(({ id }) => id));
      return Promise.resolve();
    },
    idleMs: 20,
  });
  relay.start();
});

afterAll(async () => {
  await relay.stop();
  await writer.close();
  await database.close();
  await server.stop();
  await rm(dataDir, { recursive: true });
});

function commit(version: number) {
  return writer.commit({
    stream: 'ring',
    expectedVersion: version,
    state: { version },
    lookAgainAt: null,
    events: [],
    outbox: [{ id: `m${version}`, entity: 'q', body: {}, orderKey: 'ring' }],
  });
}

describe('a server that stops and starts again under a live pool, writer and relay', () => {
  it('is a fault to try again after, and everything goes on when it is back', async () => {
    expect(await commit(0)).toMatchObject({ version: 1 });
    await until(() => sent.length === 1);

    const { port } = server;
    await server.stop();
    for (const attempt of [database.ping(), commit(1), loadStream(database, 'ring')]) {
      const fault: unknown = await attempt.catch((error: unknown) => error);
      expect(isTransientFault(fault)).toBe(true);
      expect(String(fault)).not.toContain(new URL(server.url).password);
    }
    await expect(database.ping()).rejects.toMatchObject({
      code: 'database-unreachable',
      message: `PostgreSQL at 127.0.0.1:${port} does not answer (ECONNREFUSED).`,
    });

    server = await startPostgres({ dataDir, port, durable: false });
    await database.ping();
    expect(await commit(1)).toMatchObject({ version: 2 });
    await database.kysely
      .transaction()
      .execute((trx) => appendOutbox(trx, [{ id: 'after', entity: 'q', body: {}, orderKey: 'ring' }]));
    await until(() => sent.length === 3);
    expect(sent).toEqual(['m0', 'm1', 'after']);
  });
});
