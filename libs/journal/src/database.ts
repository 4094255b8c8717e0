import { isPermanentFault, PermanentFault, TransientFault } from '@twinkey/contracts';
import { Kysely, sql, type QueryExecutorProvider } from 'kysely';
import { Client, Pool, TypeOverrides, types, type ClientConfig, type PoolConfig } from 'pg';
import { watchedDialect } from './dialect.js';
import { toFault } from './faults.js';
import { silent, type Log } from './log.js';
import { tellRecorded } from './recorded.js';
import type { JournalTables } from './tables.js';

export interface DatabaseSettings {
  /** `postgres://user:password@host:port/database`. It holds a secret and appears in no error or log line. */
  readonly url: string;
  /**
   * Asked for a password at every new connection, for a url that holds none: one that is over soon. It goes over TLS,
   * or to this machine, and nowhere else.
   */
  readonly password?: () => Promise<string>;
  /** The schema of this one service; its name is plain lower case (`rotator`). */
  readonly schema: string;
  /** How the connections call themselves in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections of the pool, 10 unless given, never less than 2. Writer and relay hold one more each. */
  readonly poolSize?: number;
  readonly log?: Log;
  /** What connects; `pg` unless given. */
  readonly driver?: DatabaseDriver;
}

/** How connections are made: whoever counts, delays or loses them puts its own in place. */
export interface DatabaseDriver {
  pool(config: PoolConfig): Pool;
  client(config: ClientConfig): Client;
}

const PG: DatabaseDriver = {
  pool: (config) => new Pool(config),
  client: (config) => new Client(config),
};

/** A database whatever tables it was opened for. */
export interface AnyDatabase {
  readonly kysely: QueryExecutorProvider;
  readonly schema: string;
  /** Rejects with the fault `database-unreachable` while nobody answers. */
  ping(): Promise<void>;
  /** Waits for running queries. Close Writer and OutboxRelay first. */
  close(): Promise<void>;
}

export interface Database<Tables = unknown> extends AnyDatabase {
  readonly kysely: Kysely<Tables & JournalTables>;
}

/** A database, or Kysely itself: inside a transaction pass the transaction. */
export type Queryable = QueryExecutorProvider | { readonly kysely: QueryExecutorProvider };

export function executorOf(db: Queryable): QueryExecutorProvider {
  return 'kysely' in db ? db.kysely : db;
}

/** What writer, relay and migrations need of a database beside its queries. */
interface Inside {
  readonly log: Log;
  readonly toFault: (error: unknown) => unknown;
  /** A connection of its own, not yet connected, with the given run-time settings. End it when a query fails. */
  newClient(settings: Readonly<Record<string, string>>, how?: Pick<ClientConfig, 'pipeline'>): Client;
  readonly outboxListeners: Set<() => void>;
}

const insides = new WeakMap<AnyDatabase, Inside>();

export function insideOf(database: AnyDatabase): Inside {
  const inside = insides.get(database);
  if (!inside) throw new Error('This database was not opened by openDatabase().');
  return inside;
}

/** Long enough for a slow statement of ours, short enough that a frozen process does not keep its locks. */
const idleInTransactionMs = 60_000;
const connectWithinMs = 5_000;
/** Into a network that is gone TCP itself would go on sending for a quarter of an hour. */
const answerWithinMs = 30_000;
const defaultPoolSize = 10;

/**
 * Opens the pool of one service and creates nothing; the first query connects. Every query sees the service's
 * own schema first. `bigint` arrives as a number: our counters stay far below 2^53.
 *
 * A dead server shows as TransientFault `database-unreachable` or `database-connection-lost` on whatever query
 * meets it, never as a crash, and the pool recovers by itself when the server is back.
 */
export function openDatabase<Tables = unknown>(settings: DatabaseSettings): Promise<Database<Tables>> {
  return Promise.resolve().then(() => open<Tables>(settings));
}

function open<Tables>(settings: DatabaseSettings): Database<Tables> {
  const { url, schema, log = silent, driver = PG } = settings;
  const server = serverOf(url);
  assertSchemaName(schema);
  const whereAndWho =
    settings.password === undefined ? { connectionString: url } : asked(url, settings.password);

  const config = (runtime: Readonly<Record<string, string>>): ClientConfig => ({
    ...whereAndWho,
    application_name: settings.applicationName,
    connectionTimeoutMillis: connectWithinMs,
    keepAlive: true,
    types: parsers,
    options: Object.entries({
      search_path: schema,
      idle_in_transaction_session_timeout: String(idleInTransactionMs),
      ...runtime,
    })
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });

  const max = Math.max(2, settings.poolSize ?? defaultPoolSize); // migrate() asks while it holds a lock
  const pool = driver.pool({ ...config({}), max });
  const noticeLoss = (error: Error) => {
    log.warn({ server, reason: error.message }, 'A database connection was lost');
  };
  // Without listeners the end of a connection, idle or in use, would end the process.
  pool.on('error', noticeLoss);
  pool.on('connect', (client) => client.on('error', () => undefined));

  const translate = (error: unknown) => {
    const fault = toFault(error, server);
    return settings.password === undefined ? fault : withoutPassword(fault, server);
  };
  const outboxListeners = new Set<() => void>();
  const kysely = new Kysely<Tables & JournalTables>({
    dialect: watchedDialect(pool, {
      toFault: translate,
      onMarkedCommit: () => {
        for (const listener of outboxListeners) listener();
      },
      onRecorded: (recorded) => {
        tellRecorded(log, recorded);
      },
    }),
  });

  const database: Database<Tables> = {
    kysely,
    schema,
    ping: async () => {
      await sql`select 1`.execute(kysely);
    },
    close: async () => {
      await kysely.destroy();
      if (!pool.ended) await pool.end(); // Kysely ends only a pool it has used
    },
  };
  insides.set(database, {
    log,
    toFault: translate,
    newClient: (runtime, how = {}) => {
      const client = driver.client({ ...config(runtime), ...how, query_timeout: answerWithinMs });
      client.on('error', noticeLoss);
      return client;
    },
    outboxListeners,
  });
  return database;
}

const parsers = new TypeOverrides();
parsers.setTypeParser(types.builtins.INT8, Number);

/**
 * `pg` prefers an empty password of a url to a function, so the url is taken apart, by `pg` itself. Asked at every
 * connection: what was good for the last one may be over.
 */
function asked(url: string, password: () => Promise<string>): ClientConfig {
  const { host, port, database, ssl } = new Client({ connectionString: url });
  const { username, password: written } = new URL(url);
  if (username === '' || written !== '' || database === undefined || !isPrivate(host, ssl)) {
    throw new PermanentFault(
      'database-url-invalid',
      'A database that is asked for passwords needs a url without one, with a user, and with TLS that knows whom it talks to.',
      { remedy: 'Write DATABASE_URL as postgres://user@host:port/database?sslmode=verify-full.' },
    );
  }
  return {
    user: decodeURIComponent(username),
    host,
    port,
    database,
    ssl,
    password: async function (this: Client | undefined): Promise<string> {
      try {
        return await password();
      } catch (cause) {
        // The pool forgets a connection that did not come about, and leaves it open for the server's minute.
        setImmediate(() => this?.connection.stream.destroy());
        throw new TransientFault(
          'database-token-unavailable',
          `No token is issued for PostgreSQL at ${host}:${port}: ${firstLineOf(cause)} Check AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret or federation of the identity.`,
          { cause, retryAfterMs: 1_000 },
        );
      }
    },
  };
}

/** True where nobody can listen or pretend to be the server. `pg` says by an object how TLS is checked, whatever its types say. */
function isPrivate(host: string, ssl: unknown): boolean {
  if (/^(127(\.\d{1,3}){3}|::1|localhost|\/.*)$/.test(host)) return true;
  if (typeof ssl === 'object' && ssl !== null)
    return !('rejectUnauthorized' in ssl && ssl.rejectUnauthorized === false);
  return ssl === true;
}

/**
 * Nobody can correct a password that is written nowhere, and a token that is not taken now may be taken soon: a role is
 * made, the server reaches Entra again.
 */
function withoutPassword(fault: unknown, server: string): unknown {
  if (!isPermanentFault(fault) || fault.code !== 'database-login-refused') return fault;
  const what = `PostgreSQL at ${server} refuses the token of this identity. Make the role of DATABASE_URL one of it: twinkey doctor prints the command.`;
  return new TransientFault('database-token-refused', what, { cause: fault.cause, retryAfterMs: 1_000 });
}

function firstLineOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] ?? '';
}

function serverOf(url: string): string {
  try {
    const { protocol, hostname, port } = new URL(url);
    if (protocol === 'postgres:' || protocol === 'postgresql:')
      return `${hostname || 'localhost'}:${port || '5432'}`;
  } catch {
    // The error of URL quotes its input, password included: say the same without it.
  }
  throw new PermanentFault(
    'database-url-invalid',
    'The database url is not of the form postgres://user:password@host:port/database.',
    { remedy: 'Correct DATABASE_URL.' },
  );
}

function assertSchemaName(schema: string): void {
  if (/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) return;
  throw new PermanentFault(
    'database-schema-invalid',
    `The schema name "${schema}" must start with a lower case letter and hold only a-z, 0-9 and _.`,
  );
}
