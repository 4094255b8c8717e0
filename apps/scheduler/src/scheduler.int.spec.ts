import { migrate, openDatabase } from '@twinkey/journal';
import {
  AccountId,
  PermanentFault,
  RegistryEvent,
  RotationDue,
  RotationEvent,
  RotationId,
  TransientFault,
  readMessage,
  type Message,
} from '@twinkey/contracts';
import { rotationIdOf } from '@twinkey/account';
import type { FoundAccount } from '@twinkey/key-store';
import { fixedClock, testDatabase, type FixedClock, type TestDatabase } from '@twinkey/testing';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { PrometheusMetrics } from '@twinkey/service';
import { sql } from 'kysely';
import { AccountsController } from './accounts.controller.js';
import { Care } from './care.js';
import type { CareFile } from './care-file.js';
import { hearRotation } from './hear-rotation.js';
import { accountsReading } from './readings.js';
import { readCareList } from './read-care-list.js';
import type { Azure } from './survey.js';
import type { SchedulerDatabase, SchedulerTables } from './tables.js';
import { repeatDeclarations, tick } from './tick.js';

const SUBSCRIPTION = '1b8f3a52-0d6e-4a37-9c15-7e2f60d4b981';
const idOf = (name: string) =>
  AccountId.parse(
    `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );

jest.setTimeout(30_000); // the first database of a run waits for the server to be set up

async function prepare(url: string): Promise<void> {
  const database = await openDatabase({ url, schema: 'scheduler', applicationName: 'spec' });
  await migrate(database, [new URL('../migrations/', import.meta.url)]);
  await database.close();
}

let store: TestDatabase;
let database: SchedulerDatabase;
let other: SchedulerDatabase;
let clock: FixedClock;
let azure: World;
let care: Care;
const time = (): Date => clock.now();

/** What Azure knows, and the file that names it. */
class World implements Azure {
  readonly accounts_ = new Map<AccountId, FoundAccount>();
  readonly faults = new Map<AccountId, Error>();
  policies = 'standard: { interval: P30D }';
  more: string[] = [];
  listed: string[] = [];
  stamp = 0;

  add(...names: string[]): void {
    for (const name of names) {
      const account = idOf(name);
      this.listed.push(name);
      this.accounts_.set(account, {
        account,
        name,
        kind: 'SpeechServices',
        location: 'westeurope',
        endpoint: `https://${name}.example/`,
        disableLocalAuth: false,
        tags: {},
      });
    }
  }

  account(wanted: AccountId): Promise<FoundAccount> {
    const fault = this.faults.get(wanted);
    const found = this.accounts_.get(wanted);
    if (fault) return Promise.reject(fault);
    return found
      ? Promise.resolve(found)
      : Promise.reject(new PermanentFault('account-not-found', 'no such account'));
  }

  /** No spec here discovers. */
  async *accounts(): AsyncGenerator<FoundAccount, void, undefined> {
    yield* await Promise.resolve([]);
  }

  /** The file, as far as Care looks at one. */
  file(): CareFile {
    const text = () =>
      [
        'version: 1',
        `policies: { ${this.policies} }`,
        'accounts:',
        ...this.listed.map((name) => `  - { id: ${idOf(name)}, policy: standard }`),
        ...this.more,
      ].join('\n');
    let seen = -1;
    const file = {
      path: '/etc/twinkey.yaml',
      changed: () => seen !== this.stamp,
      read: () => {
        seen = this.stamp;
        const read = readCareList(text(), { keyVaultUrl: 'https://vault.example' });
        if (read.ok) return read.list;
        throw new PermanentFault('file-invalid', read.faults.join('\n'));
      },
    };
    return file as unknown as CareFile;
  }
}

const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent };
function nothing(): void {
  // What is logged is not this spec's business.
}

function careOf(of: SchedulerDatabase): Care {
  return new Care({ database: of, azure, file: azure.file(), clock: time, log: silent });
}

beforeEach(async () => {
  store = await testDatabase({ prepare });
  const open = () =>
    openDatabase<SchedulerTables>({ url: store.url, schema: 'scheduler', applicationName: 'spec' });
  [database, other] = await Promise.all([open(), open()]);
  clock = fixedClock('2026-03-02T08:00:00.000Z');
  azure = new World();
});

afterEach(async () => {
  await Promise.all([database.close(), other.close()]);
  await store.drop();
});

/** What is in the outbox, as whoever receives it reads it. */
async function said(): Promise<{ due: Message<RotationDue>[]; registry: Message<RegistryEvent>[] }> {
  const { rows } = await sql<{
    entity: string;
    body: unknown;
  }>`select entity, body from outbox order by seq`.execute(database.kysely);
  const due: Message<RotationDue>[] = [];
  const registry: Message<RegistryEvent>[] = [];
  for (const { entity, body } of rows) {
    const asDue = readMessage(RotationDue, body);
    const asRegistry = readMessage(RegistryEvent, body);
    if (entity === 'rotation-due' && asDue.ok) due.push(asDue.message);
    else if (entity === 'registry-events' && asRegistry.ok) registry.push(asRegistry.message);
    else throw new Error(`nobody could read what was sent to ${entity}`);
  }
  return { due, registry };
}

let sequence = 0;
function heard(name: string, rotationId: RotationId, what: object): Promise<unknown> {
  sequence += 1;
  const at = clock.now().toISOString();
  const data = RotationEvent.data.parse({ account: idOf(name), rotationId, sequence, at, what });
  return hearRotation(database, data, clock.now());
}
const requested = { event: 'requested', reason: 'interval', by: 'scheduler', steps: [], retire: [] };
const completed = { event: 'completed', seconds: 4, keysReplaced: 2 };

async function shown(name: string): Promise<object | undefined> {
  const { accounts } = await new AccountsController(care).list();
  return accounts.find((account) => account.name === name);
}

describe('a consumer that the file declares', () => {
  const told = async () =>
    (await said()).registry.filter(({ data }) => data.what.event.startsWith('consumer-'));
  const rewrite = async (...lines: string[]) => {
    azure.more = lines;
    azure.stamp += 1;
    clock.advance({ minutes: 1 });
    await care.keepUp();
  };

  beforeEach(async () => {
    azure.add('speech');
    azure.more = [
      'consumers:',
      '  desk: { owner: support, accounts: [speech, speach], minimumInstances: 2 }',
      '  billing: { owner: billing, channel: { subscription: { name: keys } } }',
    ];
    care = careOf(database);
    await care.keepUp();
  });

  it('is declared to the others with the accounts that are under care, and what is wrong is said', async () => {
    const problem = '"speach" is no account under care; correct its name, or add it to accounts';
    expect((await told()).map(({ data, subject }) => ({ subject, what: data.what }))).toMatchObject([
      { subject: 'billing', what: { source: 'file', declaration: { channel: { kind: 'subscription' } } } },
      {
        subject: 'desk',
        what: {
          event: 'consumer-declared',
          declaration: { consumer: 'desk', accounts: [idOf('speech')], minimumInstances: 2 },
          problems: [problem],
        },
      },
    ]);
    expect((await new AccountsController(care).list()).remarks).toEqual([`consumer desk: ${problem}`]);
  });

  it('is declared anew when something about it changes, and withdrawn when it is taken out', async () => {
    const before = await told();
    await rewrite('consumers:', '  desk: { owner: support, accounts: [speech], minimumInstances: 3 }');
    const [changed, withdrawn, ...others] = (await told()).slice(before.length);
    expect(changed?.data.what).toMatchObject({ declaration: { consumer: 'desk', minimumInstances: 3 } });
    expect(changed?.data.what).not.toHaveProperty('problems');
    expect(changed?.data.version).toBeGreaterThan(before[1]?.data.version ?? 0);
    expect(withdrawn?.data.what).toMatchObject({ event: 'consumer-withdrawn', consumer: 'billing' });
    expect(others).toEqual([]);
    await rewrite();
    await rewrite();
    expect((await told()).slice(before.length + 2)).toMatchObject([
      { data: { what: { event: 'consumer-withdrawn', consumer: 'desk' } } },
    ]);
  });

  it('is repeated now and then under a higher version, for a reader who lost its tables', async () => {
    const before = await told();
    clock.advance({ minutes: 4 });
    await repeatDeclarations(database, clock.now());
    await repeatDeclarations(database, clock.now());
    const again = (await told()).slice(before.length);
    expect(again.map(({ data }) => data.what)).toEqual(
      expect.arrayContaining(before.map(({ data }) => data.what)),
    );
    expect(again).toHaveLength(2);
    expect(again[0]?.data.version).toBeGreaterThan(before[0]?.data.version ?? 0);
  });

  it('may be the only kind that an account takes', async () => {
    await rewrite('onlyDeclaredConsumers: true');
    const accounts = (await said()).registry.filter(({ data }) => data.what.event === 'account-declared');
    expect(accounts.map(({ data }) => data.what)).toMatchObject([
      { settings: expect.not.objectContaining({ onlyDeclaredConsumers: true }) as object },
      { settings: { onlyDeclaredConsumers: true } },
    ]);
  });
});

describe('an account that the file names', () => {
  beforeEach(async () => {
    azure.add('speech');
    care = careOf(database);
    await care.keepUp();
  });

  it('is declared with its terms and the time of its next rotation', async () => {
    const { registry } = await said();
    expect(registry.map(({ data }) => data.what)).toMatchObject([
      {
        event: 'account-declared',
        settings: {
          account: idOf('speech'),
          endpoint: 'https://speech.example/',
          secret: { vaultUrl: 'https://vault.example', name: 'speech' },
          policy: { name: 'standard', intervalSeconds: 2_592_000 },
        },
        nextDueAt: '2026-03-02T08:00:00.000Z',
      },
    ]);
  });

  it('is asked to rotate once, then left to the rotator', async () => {
    await tick(database, time);
    await tick(database, time);
    const { due } = await said();
    const rotationId = rotationIdOf(idOf('speech'), clock.ms());
    expect(due.map(({ data }) => data)).toEqual([
      { rotationId, account: idOf('speech'), dueAt: '2026-03-02T08:00:00.000Z', reason: 'first-rotation' },
    ]);
    expect(await shown('speech')).toMatchObject({ state: 'asked', rotationId });
  });

  it('is asked again, for the same rotation and under a new message id, when nobody answers', async () => {
    await tick(database, time);
    clock.advance({ minutes: 2 });
    await tick(database, time);
    const { due } = await said();
    expect(due).toHaveLength(2);
    expect(new Set(due.map(({ data }) => data.rotationId)).size).toBe(1);
    expect(new Set(due.map(({ id }) => id)).size).toBe(2);
  });

  it('is due one interval after its rotation completed, and says so to everybody', async () => {
    await tick(database, time);
    const rotationId = rotationIdOf(idOf('speech'), clock.ms());
    await heard('speech', rotationId, requested);
    expect(await shown('speech')).toMatchObject({ state: 'rotating', nextDueAt: null });
    clock.advance({ hours: 1 });
    await heard('speech', rotationId, completed);
    const nextDueAt = '2026-04-01T09:00:00.000Z';
    expect(await shown('speech')).toMatchObject({
      state: 'not-due',
      policy: 'standard',
      lastCompletedAt: '2026-03-02T09:00:00.000Z',
      nextDueAt,
    });
    expect((await said()).registry.at(-1)?.data.what).toMatchObject({ event: 'account-declared', nextDueAt });

    clock.advance({ hours: 30 * 24 - 1 });
    expect(await tick(database, time)).toEqual([]);
    clock.advance({ hours: 1 });
    expect(await tick(database, time)).toMatchObject([{ why: 'interval-over' }]);
  });

  it('is shown halted, and waits for a person', async () => {
    await tick(database, time);
    await heard('speech', rotationIdOf(idOf('speech'), clock.ms()), {
      event: 'halted',
      reason: 'consumer-silent',
      detail: 'speech-web is silent',
      remedy: 'start it, or waive it',
    });
    clock.advance({ hours: 24 });
    expect(await tick(database, time)).toEqual([]);
    expect(await shown('speech')).toMatchObject({ state: 'halted' });
  });

  it('is declared anew, under a higher version, when its policy changes', async () => {
    azure.policies = 'standard: { interval: P7D }';
    azure.stamp += 1;
    await care.keepUp();
    const { registry } = await said();
    expect(registry).toMatchObject([
      { data: { what: { settings: { policy: { intervalSeconds: 2_592_000 } } } } },
      { data: { what: { settings: { policy: { intervalSeconds: 604_800 } } } } },
    ]);
    expect(registry[1]?.data.version).toBeGreaterThan(registry[0]?.data.version ?? 0);
  });

  it('is not declared again by a survey that finds nothing new', async () => {
    clock.advance({ minutes: 10 });
    await care.keepUp();
    expect((await said()).registry).toHaveLength(1);
  });

  it('is declared again after some minutes, by one scheduler of two', async () => {
    clock.advance({ minutes: 4 });
    const repeated = await Promise.all([
      repeatDeclarations(database, clock.now()),
      repeatDeclarations(other, clock.now()),
    ]);
    expect(repeated.toSorted()).toEqual([0, 1]);
    const versions = (await said()).registry.map(({ data }) => data.version);
    expect(versions[1]).toBeGreaterThan(versions[0] ?? 0);
  });

  it('is withdrawn when Azure no longer knows it, and goes on where it was when it is back', async () => {
    await tick(database, time);
    await heard('speech', rotationIdOf(idOf('speech'), clock.ms()), completed);
    const known = azure.accounts_.get(idOf('speech'));
    azure.accounts_.clear();
    clock.advance({ minutes: 10 });
    await care.keepUp();
    expect((await said()).registry.at(-1)?.data.what).toEqual({
      event: 'account-withdrawn',
      account: idOf('speech'),
      reason: 'Azure does not know the account',
    });
    expect(await shown('speech')).toMatchObject({ state: 'gone' });

    if (known) azure.accounts_.set(known.account, known);
    clock.advance({ minutes: 10 });
    await care.keepUp();
    expect(await shown('speech')).toMatchObject({ state: 'not-due', nextDueAt: '2026-04-01T08:00:00.000Z' });
  });

  it('is withdrawn and no longer shown when the file no longer names it', async () => {
    azure.listed = [];
    azure.stamp += 1;
    await care.keepUp();
    expect((await said()).registry.at(-1)?.data.what).toMatchObject({
      event: 'account-withdrawn',
      reason: 'no longer under care',
    });
    expect(await shown('speech')).toBeUndefined();
    clock.advance({ hours: 1000 });
    expect(await tick(database, time)).toEqual([]);
  });

  it('stays under care on its old terms while Azure does not answer', async () => {
    azure.faults.set(idOf('speech'), new TransientFault('unreachable', 'ARM does not answer'));
    clock.advance({ minutes: 10 });
    await care.keepUp();
    expect((await said()).registry).toHaveLength(1);
    expect(await tick(database, time)).toHaveLength(1);
    expect(JSON.stringify(await shown('speech'))).toContain('ARM does not answer');

    azure.faults.clear();
    clock.advance({ seconds: 15 });
    await care.keepUp();
    expect(await shown('speech')).toMatchObject({ reason: 'The rotator was asked to rotate it.' });
  });

  it('stays under care on its old terms while the changed file cannot be used', async () => {
    azure.policies = 'standard: { interval: P1M }';
    azure.stamp += 1;
    await care.keepUp();
    expect(care.fileTrouble).toContain('policies.standard.interval: months and years have no fixed length');
    expect(await tick(database, time)).toHaveLength(1);
  });
});

describe('an account that Azure has not answered about yet', () => {
  it('is shown, asked for soon again, and judged only then', async () => {
    azure.add('speech');
    azure.faults.set(idOf('speech'), new TransientFault('unreachable', 'ARM does not answer'));
    care = careOf(database);
    await care.keepUp();
    expect(await tick(database, time)).toEqual([]);
    expect(await shown('speech')).toMatchObject({ state: 'unread' });

    azure.faults.clear();
    clock.advance({ seconds: 15 });
    await care.keepUp();
    expect(await tick(database, time)).toHaveLength(1);
  });
});

describe('an account whose keys are switched off', () => {
  it('is declared and never asked to rotate', async () => {
    azure.add('speech');
    const found = azure.accounts_.get(idOf('speech'));
    if (found) azure.accounts_.set(found.account, { ...found, disableLocalAuth: true });
    care = careOf(database);
    await care.keepUp();
    expect((await said()).registry).toHaveLength(1);
    expect(await tick(database, time)).toEqual([]);
    expect(await shown('speech')).toMatchObject({ state: 'keys-disabled' });
  });
});

describe('what the scheduler shows of its accounts', () => {
  it('is when each is due, how often that is, and how many Azure does not let us care for', async () => {
    azure.add('speech', 'gone');
    await careOf(database).keepUp();
    azure.faults.set(idOf('gone'), new PermanentFault('account-not-found', 'no such account'));
    azure.stamp += 1;
    clock.advance({ hours: 1 });
    await careOf(database).keepUp({ again: true });

    const metrics = new PrometheusMetrics('scheduler');
    metrics.readAtScrapes([accountsReading(database)]);
    const lines = (await metrics.scrape()).text.split('\n');
    expect(lines).toContain('twinkey_accounts{presence="gone"} 1');
    expect(lines).toContain('twinkey_accounts{presence="here"} 1');
    expect(lines).toContain(`twinkey_policy_interval_seconds{account="speech"} ${30 * 24 * 3600}`);
    const firstSeen = Date.parse('2026-03-02T08:00:00Z') / 1_000;
    expect(lines).toContain(`twinkey_next_due_timestamp_seconds{account="speech"} ${firstSeen}`);
    expect(lines.filter((line) => line.includes('account="gone"'))).toEqual([]);
  });
});

describe('two schedulers on one database', () => {
  const names = Array.from({ length: 150 }, (_, index) => `account-${index}`);

  it('ask once for each due time, whoever comes first', async () => {
    azure.add(...names);
    await Promise.all([careOf(database).keepUp(), careOf(other).keepUp()]);
    expect((await said()).registry).toHaveLength(names.length);

    const asked = (await Promise.all([tick(database, time), tick(other, time)])).flat();
    expect(asked).toHaveLength(names.length);
    const { due } = await said();
    expect(due).toHaveLength(names.length);
    expect(new Set(due.map(({ id }) => id)).size).toBe(names.length);
    expect(await tick(database, time)).toEqual([]);
  });

  it('leave alone what the other has claimed and not yet committed', async () => {
    azure.add('speech');
    await careOf(database).keepUp();
    await other.kysely.transaction().execute(async (trx) => {
      await sql`select 1 from account for update`.execute(trx);
      expect(await tick(database, time)).toEqual([]);
    });
    expect(await tick(database, time)).toHaveLength(1);
  });
});

describe('a tick that cannot commit', () => {
  it('asks nothing and forgets nothing: the next one asks', async () => {
    azure.add('speech');
    await careOf(database).keepUp();
    await sql`alter table outbox rename to hidden`.execute(database.kysely);
    await expect(tick(database, time)).rejects.toThrow('outbox');
    await sql`alter table hidden rename to outbox`.execute(database.kysely);
    expect(await tick(database, time)).toHaveLength(1);
    expect((await said()).due).toHaveLength(1);
  });
});

describe('a large fleet with nothing due', () => {
  it('is not read by a tick: it looks only at the front of the index', async () => {
    await sql`
      insert into account (account, listed, presence, schedule, first_seen_at, look_at)
      select '/a/' || n, true, 'here', '{}', now(), '2030-01-01'::timestamptz + n * interval '1 minute'
      from generate_series(1, 20000) as n`.execute(database.kysely);
    await sql`analyze account`.execute(database.kysely);
    const { rows } = await sql<{ 'QUERY PLAN': string }>`
      explain (analyze, buffers) select * from account
      where look_at is not null and look_at <= ${clock.now()} order by look_at limit 1000
      for update skip locked`.execute(database.kysely);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('account_to_judge');
    const [, buffers = '99'] = /shared hit=(\d+)/.exec(plan) ?? [];
    expect(Number(buffers)).toBeLessThan(10);
  });
});
