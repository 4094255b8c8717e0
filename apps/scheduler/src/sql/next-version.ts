import { sql, type RawBuilder } from 'kysely';

/**
 * The version under which an account or a consumer is declared next. It grows by itself, and never falls behind the clock: readers
 * keep the highest that they saw, so a scheduler restored from an old backup would otherwise not be heard for long.
 */
export function nextVersion(table: 'account' | 'consumer', now: Date): RawBuilder<number> {
  return sql`greatest(${sql.table(table)}.declared_version + 1, ${now.getTime()}::bigint)`;
}
