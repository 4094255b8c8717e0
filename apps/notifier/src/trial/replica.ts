// One notifier without HTTP and bus, on a real database: what specs of its transactions work with.
import {
  AccountId,
  ConsumerDeclaration,
  ConsumerName,
  RegistryEvent,
  SwitchRequested,
  writeMessage,
  type Message,
} from '@twinkey/contracts';
import { migrate, openDatabase, type StoredOutboxMessage } from '@twinkey/journal';
import type { Terms } from '@twinkey/key-switch';
import { NO_METRICS, type Log } from '@twinkey/service';
import { sql } from 'kysely';
import { Lookout } from '../lookout.js';
import { lookAt } from '../settle.js';
import type { Shell } from '../shell.js';
import type { NotifierTables, Queries } from '../tables.js';

const terms: Terms = { leaseSeconds: 30, rereadSeconds: 60, clockSkewSeconds: 5 };

const quiet = () => undefined;
const silent: Log = { debug: quiet, info: quiet, warn: quiet, error: quiet, child: () => silent };

export interface Replica {
  readonly shell: Shell;
  readonly db: Queries;
  readonly subscriptions: Set<string>;
  /** Resolves when every look that something caused has ended. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export async function createSchema(url: string): Promise<void> {
  const database = await openDatabase({ url, schema: 'notifier', applicationName: 'spec' });
  await migrate(database, [new URL('../../migrations/', import.meta.url)]);
  await database.close();
}

export async function tablesOf(db: Queries): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = current_schema() and table_name not like 'applied_migration%' order by 1`.execute(
    db,
  );
  return rows.map(({ name }) => name);
}

/** A new database for each situation would take longer than all that is tried in it. */
export async function forgetEverything(db: Queries): Promise<void> {
  const tables = (await tablesOf(db)).filter((name) => name !== 'journal'); // which forgets nothing
  await sql`truncate ${sql.join(tables.map((name) => sql.id(name)))}`.execute(db);
}

/** `looking: false` is a replica that dies before it can look at what it committed. */
export async function openReplica(
  url: string,
  { looking = true, asksForTokens = false } = {},
): Promise<Replica> {
  const database = await openDatabase<NotifierTables>({ url, schema: 'notifier', applicationName: 'spec' });
  const subscriptions = new Set<string>();
  const lookout: Lookout = new Lookout(
    (account) => lookAt(shell, account, { skipLocked: false }),
    looking ? 4 : 0,
    silent,
  );
  const shell: Shell = {
    db: database.kysely,
    terms,
    heartbeatSeconds: 10,
    shards: 4,
    subscriptions: {
      ensure: (topic, subscription) => {
        subscriptions.add(`${topic}/${subscription}`);
        return Promise.resolve();
      },
      remove: (topic, subscription) => {
        subscriptions.delete(`${topic}/${subscription}`);
        return Promise.resolve();
      },
    },
    asksForTokens,
    log: silent,
    metrics: NO_METRICS,
    lookSoon: lookout.soon,
  };
  return {
    shell,
    db: shell.db,
    subscriptions,
    settled: () => lookout.idle(),
    close: async () => {
      await lookout.close();
      await database.close();
    },
  };
}

export function accountCalled(name: string): AccountId {
  return AccountId.parse(
    `/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );
}

export function declared(
  name: string,
  { version = 1, onlyDeclaredConsumers = false } = {},
): Message<RegistryEvent> {
  const settings = {
    account: accountCalled(name),
    kind: 'SpeechServices',
    location: 'westeurope',
    endpoint: 'https://ai.example/',
    secret: { vaultUrl: 'https://vault.example', name },
    policy: {
      name: 'standard',
      intervalSeconds: 86_400,
      acknowledgeWithinSeconds: 3_600,
      onOverdue: 'hold' as const,
      drainSeconds: 2,
      withoutConsumers: 'wait' as const,
    },
    ...(onlyDeclaredConsumers ? { onlyDeclaredConsumers } : {}),
  };
  const at = new Date();
  return writeMessage(RegistryEvent, {
    id: `ad-${name}-v${version}`,
    source: 'twinkey/scheduler',
    time: at,
    data: { version, at: at.toISOString(), what: { event: 'account-declared', settings } },
  });
}

/** What the file, or the API, says about a consumer. */
export function declaredConsumer(
  consumer: string,
  {
    version = 1,
    source = 'file',
    accounts = ['speech-weu'],
    ...changes
  }: {
    version?: number;
    source?: 'file' | 'api';
    accounts?: readonly string[];
  } & Partial<Omit<ConsumerDeclaration, 'accounts' | 'consumer'>> = {},
): Message<RegistryEvent> {
  const declaration = ConsumerDeclaration.parse({
    consumer,
    owner: 'a team',
    accounts: accounts.map(accountCalled),
    minimumInstances: 0,
    channel: { kind: 'instances' },
    ...changes,
  });
  return registryEvent(`cd-${consumer}-${source}-v${version}`, version, {
    event: 'consumer-declared',
    source,
    declaration,
  });
}

export function withdrawnConsumer(
  consumer: string,
  { version = 2, source = 'file' }: { version?: number; source?: 'file' | 'api' } = {},
): Message<RegistryEvent> {
  return registryEvent(`cw-${consumer}-${source}-v${version}`, version, {
    event: 'consumer-withdrawn',
    source,
    consumer: ConsumerName.parse(consumer),
    reason: 'the file does not declare it any more',
  });
}

function registryEvent(id: string, version: number, what: RegistryEvent['what']): Message<RegistryEvent> {
  const at = new Date();
  return writeMessage(RegistryEvent, {
    id,
    source: 'twinkey/scheduler',
    time: at,
    data: { version, at: at.toISOString(), what },
  });
}

export function requested(
  name: string,
  changes: Partial<{ [Field in keyof SwitchRequested]: unknown }> = {},
): Message<SwitchRequested> {
  const { generation = 1, request = 1 } = changes;
  const data = SwitchRequested.data.parse({
    account: accountCalled(name),
    generation,
    request,
    slot: Number(generation) % 2 === 0 ? 'key2' : 'key1',
    fingerprint: Number(generation).toString(16).padStart(32, '0'),
    secret: { vaultUrl: 'https://vault.example', name },
    publishedAt: new Date().toISOString(),
    deadlineAt: new Date(Date.now() + 3_600_000).toISOString(),
    drainSeconds: 2,
    withoutConsumers: 'wait',
    waived: [],
    ...changes,
  });
  return writeMessage(SwitchRequested, {
    id: `sr-${name}-g${data.generation}-r${data.request}`,
    source: 'twinkey/rotator',
    subject: name,
    time: new Date(),
    data,
  });
}

export interface Sent {
  readonly id: string;
  readonly entity: string;
  readonly data: Record<string, unknown>;
}

/** Everything that was put into the outbox, in order. */
export async function sent(db: Queries): Promise<readonly Sent[]> {
  const { rows } = await sql<Pick<StoredOutboxMessage, 'id' | 'entity'> & { body: Sent }>`
    select id, entity, body from outbox order by seq`.execute(db);
  return rows.map(({ id, entity, body }) => ({ id, entity, data: body.data }));
}

/** Lets time pass for leases, deadlines and reports, as far as they are stored. */
export async function letPass(db: Queries, seconds: number): Promise<void> {
  const by = sql`make_interval(secs => ${seconds})`;
  await sql`update instance set seen_at = seen_at - ${by}, lease_until = lease_until - ${by},
              lapsed_at = lapsed_at - ${by}, look_at = look_at - ${by}`.execute(db);
  await sql`update account set look_at = look_at - ${by}, report_at = report_at - ${by},
              asked_at = asked_at - ${by}`.execute(db);
}
