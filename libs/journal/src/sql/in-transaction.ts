import type { QueryExecutorProvider } from 'kysely';

/** A Kysely transaction of whatever tables. Outside of one, "together or not at all" would be an empty promise. */
export interface InTransaction extends QueryExecutorProvider {
  readonly isTransaction: true;
}
