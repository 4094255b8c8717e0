import {
  PostgresDialect,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryExecutorProvider,
} from 'kysely';
import type { Pool } from 'pg';
import { preparing } from './prepared.js';
import type { Recorded } from './recorded.js';

export interface DialectHooks {
  readonly toFault: (error: unknown) => unknown;
  /** Called after the commit of a transaction that `markForCommit` was called in. */
  readonly onMarkedCommit: () => void;
  /** Called after the commit of a transaction with what `recordForCommit` was given in it. */
  readonly onRecorded: (recorded: Recorded) => void;
}

/**
 * Kysely's PostgreSQL dialect with three additions: its statements are prepared, its errors are faults, and a commit can
 * be noticed. Kysely has no hook for the end of a transaction, and NOTIFY, which would do, serialises all commits of the
 * server.
 */
export function watchedDialect(pool: Pool, hooks: DialectHooks): Dialect {
  const plain = new PostgresDialect({ pool: preparing(pool) });
  return {
    createDriver: () => watch(plain.createDriver(), hooks),
    createAdapter: () => plain.createAdapter(),
    createIntrospector: (db) => plain.createIntrospector(db),
    createQueryCompiler: () => plain.createQueryCompiler(),
  };
}

/** Connections whose open transaction wrote something that listeners want to hear of once it is committed. */
const marked = new WeakSet<DatabaseConnection>();

export async function markForCommit(trx: QueryExecutorProvider): Promise<void> {
  await trx.getExecutor().provideConnection((connection) => {
    marked.add(connection);
    return Promise.resolve();
  });
}

/** What the open transactions of connections added to the journal. */
const recorded = new WeakMap<DatabaseConnection, readonly Recorded[]>();

export async function recordForCommit(trx: QueryExecutorProvider, what: Recorded): Promise<void> {
  await trx.getExecutor().provideConnection((connection) => {
    recorded.set(connection, [...(recorded.get(connection) ?? []), what]);
    return Promise.resolve();
  });
}

function watch(driver: Driver, { toFault, onMarkedCommit, onRecorded }: DialectHooks): Driver {
  const translated = new WeakSet<DatabaseConnection>();
  const acquire = driver.acquireConnection.bind(driver);
  const commit = driver.commitTransaction.bind(driver);
  const rollback = driver.rollbackTransaction.bind(driver);

  driver.acquireConnection = async (options) => {
    const connection = await acquire(options).catch((error: unknown) => {
      throw toFault(error);
    });
    if (!translated.has(connection)) {
      translated.add(connection);
      const execute = connection.executeQuery.bind(connection);
      connection.executeQuery = async (query, executeOptions) => {
        try {
          return await execute(query, executeOptions);
        } catch (error) {
          throw toFault(error);
        }
      };
    }
    return connection;
  };
  driver.commitTransaction = async (connection) => {
    const wasMarked = marked.delete(connection);
    const additions = recorded.get(connection) ?? [];
    recorded.delete(connection);
    await commit(connection);
    additions.forEach(onRecorded);
    if (wasMarked) onMarkedCommit();
  };
  driver.rollbackTransaction = async (connection) => {
    marked.delete(connection);
    recorded.delete(connection);
    await rollback(connection);
  };
  return driver;
}
