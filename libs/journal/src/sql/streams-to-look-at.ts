import { sql } from 'kysely';
import { executorOf, type Queryable } from '../database.js';

/**
 * Names of streams whose `lookAgainAt` has passed by the database's clock, the longest overdue first.
 *
 * Claims nothing: several replicas may be given the same name, and the lease on it decides who looks. Reads the
 * partial index, so streams that wait for nothing cost nothing.
 */
export async function streamsToLookAt(
  db: Queryable,
  { limit }: { readonly limit: number },
): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`
    select name from stream where look_again_at <= now()
    order by look_again_at limit ${limit}`.execute(executorOf(db));
  return rows.map(({ name }) => name);
}
