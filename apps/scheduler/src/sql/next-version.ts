import { sql, type RawBuilder } from 'kysely';

/**
 * The version under which an account is declared next. It grows by itself, and never falls behind the clock: readers
 * keep the highest that they saw, so a scheduler restored from an old backup would otherwise not be heard for long.
 */
export function nextVersion(now: Date): RawBuilder<number> {
  return sql`greatest(account.declared_version + 1, ${now.getTime()}::bigint)`;
}
