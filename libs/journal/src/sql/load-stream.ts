import { sql } from 'kysely';
import { executorOf, type Queryable } from '../database.js';

/**
 * The current state of a stream, null when there is none. The caller vouches for `State`: it is what was
 * committed, parse it when it may stem from another release.
 *
 * No lock: whoever writes says which version the new state was derived from.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says what it committed
export async function loadStream<State = unknown>(
  db: Queryable,
  stream: string,
): Promise<{ readonly version: number; readonly state: State } | null> {
  const { rows } = await sql<{ version: number; state: State }>`
    select version, state from stream where name = ${stream}`.execute(executorOf(db));
  return rows[0] ?? null;
}
