import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AccountId,
  Fingerprint,
  RotationEvent,
  RotationId,
  readMessage,
  SwitchRequested,
  type AccountSettings,
} from '@twinkey/contracts';
import {
  loadStream,
  migrate,
  openDatabase,
  readJournal,
  takeLease,
  Writer,
  type Database,
} from '@twinkey/journal';
import { decideRequest, type RingEvent } from '@twinkey/rotation';
import { testDatabase, type TestDatabase } from '@twinkey/testing';
import { sql } from 'kysely';
import { KeyRings } from './key-rings.js';

const account = AccountId.parse(
  '/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/speech',
);
const settings: AccountSettings = {
  account,
  kind: 'SpeechServices',
  location: 'westeurope',
  endpoint: 'https://localhost/speech/',
  secret: { vaultUrl: 'https://localhost', name: 'speech' },
  policy: {
    name: 'standard',
    intervalSeconds: 600,
    acknowledgeWithinSeconds: 60,
    onOverdue: 'hold',
    drainSeconds: 1,
    withoutConsumers: 'wait',
  },
};
const rotationId = RotationId.parse('r-00000000000a');
const at = Date.UTC(2026, 0, 1);
const published: RingEvent = {
  type: 'Published',
  at,
  slot: 'key2',
  fingerprint: Fingerprint.parse('a'.repeat(32)),
  generation: 1,
  version: 'v1',
  attempt: null,
};
const asked: RingEvent = {
  type: 'SwitchAsked',
  at,
  generation: 1,
  request: 1,
  rotationId: null,
  deadlineAt: at + 60_000,
  waived: [],
};

let server: TestDatabase;
let database: Database;
let writer: Writer;
let rings: KeyRings;

beforeAll(async () => {
  server = await testDatabase();
  database = await openDatabase({ url: server.url, schema: 'rotator', applicationName: 'spec' });
  await migrate(database, [new URL('../migrations/', import.meta.url)]);
  writer = new Writer(database);
  rings = new KeyRings(database, writer);
});
afterAll(async () => {
  await writer.close();
  await database.close();
  await server.drop();
});

interface OutboxRow {
  readonly entity: string;
  readonly body: unknown;
}

async function outbox(): Promise<readonly OutboxRow[]> {
  const { rows } = await sql<OutboxRow>`select entity, body from outbox order by seq`.execute(
    database.kysely,
  );
  return rows;
}

describe('a key ring', () => {
  it('is committed together with its journal and the messages that others hear of it', async () => {
    const first = await rings.record(await rings.load(account), [published, asked], {
      settings,
      lookAgainAt: null,
    });
    if (!first.recorded) throw new Error(first.why);
    expect(first.loaded.version).toBe(1);

    const stored = await loadStream(database, account);
    expect(stored?.state).toEqual(first.loaded.ring);
    expect((await readJournal(database, account, {})).map(({ type }) => type)).toEqual([
      'Published',
      'SwitchAsked',
    ]);

    const [announced, question] = await outbox();
    expect(announced?.entity).toBe(RotationEvent.entity);
    expect(readMessage(RotationEvent, announced?.body)).toMatchObject({
      ok: true,
      message: { data: { what: { event: 'published' } } },
    });
    expect(readMessage(SwitchRequested, question?.body)).toMatchObject({
      ok: true,
      message: {
        data: { generation: 1, request: 1, slot: 'key2', secret: { name: 'speech', version: 'v1' } },
      },
    });
  });

  it('refuses a decision that was taken on an older ring', async () => {
    const old = await rings.load(account);
    await rings.record(old, [{ type: 'DriftGone', at }], { settings, lookAgainAt: null });
    expect(await rings.record(old, [{ type: 'DriftGone', at }], { settings, lookAgainAt: null })).toEqual({
      recorded: false,
      why: 'stale-version',
    });
  });

  it('takes a message once, however often it comes', async () => {
    const inbox = { handler: 'rotation-due', messageId: 'due-1' };
    const loaded = await rings.load(account);
    const decision = decideRequest(loaded.ring, { rotationId, by: 'scheduler', reason: 'interval' }, at);
    if (!decision.accepted) throw new Error(decision.detail);
    await rings.record(loaded, decision.events, { settings, lookAgainAt: null, inbox });
    const again = await rings.load(account);
    expect(
      await rings.record(again, [{ type: 'DriftGone', at }], { settings, lookAgainAt: null, inbox }),
    ).toEqual({
      recorded: false,
      why: 'message-already-handled',
    });
    expect((await rings.load(account)).ring.rotation?.rotationId).toBe(rotationId);
  });

  it('takes nothing from a worker whose lease is over', async () => {
    const lease = await takeLease(database, { name: 'account:speech', holder: 'first', ttlMs: 1 });
    if (lease === null) throw new Error('the lease is free');
    let successor = null;
    while (successor === null)
      successor = await takeLease(database, { name: 'account:speech', holder: 'second', ttlMs: 60_000 });
    const before = await rings.load(account);
    await expect(
      rings.record(before, [{ type: 'DriftGone', at }], { settings, lookAgainAt: null, lease }),
    ).rejects.toMatchObject({
      name: 'Interrupted',
      code: 'lease-lost',
    });
    expect(await rings.load(account)).toEqual(before);
  });
});
