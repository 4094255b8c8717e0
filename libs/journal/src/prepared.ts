// Statements are parsed and planned once per connection and not each time: for most of ours that is more work than to
// execute them, and it took half of the processor time of the server.
import { createHash } from 'node:crypto';
import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import type { Pool, PoolClient } from 'pg';

/** Each has a plan in the memory of every connection; a service has some sixty. */
const MOST_STATEMENTS = 300;

/**
 * The columns of `*` are whatever the table has. A prepared one fails for ever when a newer version adds a column while
 * this one still runs.
 */
const NAMES_NO_COLUMNS = /(?:\bselect|\breturning|,|\.)\s*\*/i;

const names = new Map<string, string | null>();

/** The name under which a connection keeps a statement; null for one that is not to be kept. */
export function nameOf(text: string): string | null {
  let name = names.get(text);
  if (name === undefined) {
    if (names.size >= MOST_STATEMENTS) return null;
    name = NAMES_NO_COLUMNS.test(text) ? null : createHash('sha1').update(text).digest('hex');
    names.set(text, name);
  }
  return name;
}

/** The pool as Kysely wants it, whose connections keep what they were asked before. */
export function preparing(pool: Pool): PostgresPool {
  const known = new WeakMap<PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    end: () => pool.end(),
    connect: async () => {
      const client = await pool.connect();
      let prepared = known.get(client);
      if (prepared === undefined) {
        prepared = keeping(client);
        known.set(client, prepared);
      }
      return prepared;
    },
  };
}

function keeping(client: PoolClient): PostgresPoolClient {
  function query<Row>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<Row>>;
  function query<Row>(cursor: PostgresCursor<Row>): PostgresCursor<Row>;
  function query(asked: string | PostgresCursor<unknown>, values: readonly unknown[] = []): unknown {
    if (typeof asked !== 'string') throw new Error('Nothing is read with a cursor.');
    // Without values it is `begin`, `commit` or a migration: for these PostgreSQL has no plan.
    const name = values.length === 0 ? null : nameOf(asked);
    return client.query({ text: asked, values: [...values], ...(name === null ? {} : { name }) });
  }
  return {
    query,
    release: (destroy) => {
      client.release(destroy);
    },
    // Kysely asks the server for it otherwise, when it has to cancel something.
    ...('processID' in client ? { processID: Number(client.processID) } : {}),
  };
}
