import { sql } from 'kysely';
import { executorOf, type AnyDatabase } from '../database.js';

/** What a service would meet in the database if it started now. */
export interface SchemaInspection {
  readonly database: string;
  readonly user: string;
  /** By the clock of the database. */
  readonly now: Date;
  readonly exists: boolean;
  /** May use the schema and create in it: what migrations need. False when it does not exist. */
  readonly mayCreateIn: boolean;
  /** May make the schema if there is none. */
  readonly mayCreateSchema: boolean;
  /** Migrations that were applied; 0 where no service has started yet. */
  readonly migrations: number;
}

/** Looks, and changes nothing. Rejects with TransientFault `database-unreachable` while nobody answers. */
export async function inspectSchema(database: AnyDatabase): Promise<SchemaInspection> {
  const { schema } = database;
  const { rows } = await sql<Omit<SchemaInspection, 'migrations'> & { isMigrated: boolean }>`
    select current_database() as "database",
           current_user as "user",
           clock_timestamp() as "now",
           found.oid is not null as "exists",
           coalesce(has_schema_privilege(found.oid, 'usage') and has_schema_privilege(found.oid, 'create'), false)
             as "mayCreateIn",
           has_database_privilege(current_database(), 'create') as "mayCreateSchema",
           exists (
             select from pg_class
             where relnamespace = found.oid and relname = 'applied_migration'
               and has_schema_privilege(found.oid, 'usage') and has_table_privilege(pg_class.oid, 'select')
           ) as "isMigrated"
    from (select) as nothing
    left join pg_namespace as found on found.nspname = ${schema}`.execute(executorOf(database));
  const [row] = rows;
  if (row === undefined) throw new Error('a select without where answers with a row');
  const { isMigrated, ...seen } = row;
  return { ...seen, migrations: isMigrated ? await countMigrations(database) : 0 };
}

async function countMigrations(database: AnyDatabase): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as "count" from ${sql.table(`${database.schema}.applied_migration`)}`.execute(
    executorOf(database),
  );
  return rows[0]?.count ?? 0;
}
