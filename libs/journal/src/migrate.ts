import { readdir, readFile } from 'node:fs/promises';
import { isPermanentFault, isTransientFault, PermanentFault } from '@twinkey/contracts';
import { sql, type QueryExecutorProvider } from 'kysely';
import { Migrator, type Migration } from 'kysely/migration';
import type { Database } from './database.js';

const ownFolder = new URL('../migrations/', import.meta.url); // the same path from src and from dist
const migrationFile = /^\d{4}-[a-z0-9-]+\.sql$/;
const migrationTable = 'applied_migration';

/**
 * Creates the schema, then runs what is new of our own `NNNN-name.sql` files and of the given folders', in that
 * order, all in one transaction. Any number of services and replicas may start at once. Returns what it applied.
 *
 * A folder is known by its place in `folders`: append new folders, never reorder them. Migrations only go
 * forward; one that a newer replica has already applied and this one does not know is left in peace, so that a
 * deployment can be rolled back over a migration that only adds.
 */
export async function migrate<Tables>(
  database: Database<Tables>,
  folders: readonly URL[],
): Promise<readonly string[]> {
  const files = await readMigrations([ownFolder, ...folders]);

  const migrator = new Migrator({
    db: database.kysely,
    migrationTableSchema: database.schema,
    migrationTableName: migrationTable,
    migrationLockTableName: `${migrationTable}_lock`,
    allowUnorderedMigrations: true, // 0002 of the first folder comes after 0001 of the second
    provider: {
      getMigrations: async () => ({ ...(await applied(database.kysely)), ...files }),
    },
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error !== undefined) {
    const failed = results.find(({ status }) => status === 'Error')?.migrationName;
    throw migrationFault(failed, error);
  }
  return results.map(({ migrationName }) => migrationName);
}

async function readMigrations(folders: readonly URL[]): Promise<Record<string, Migration>> {
  const migrations: Record<string, Migration> = {};
  for (const [place, folder] of folders.entries()) {
    const directory = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
    for (const name of await readdir(directory)) {
      if (!name.endsWith('.sql')) continue;
      if (!migrationFile.test(name))
        throw new PermanentFault(
          'migration-name-invalid',
          `The migration ${name} must be named like 0001-what-it-adds.sql.`,
        );
      const text = await readFile(new URL(name, directory), 'utf8');
      const key = `${String(place).padStart(2, '0')}/${name.slice(0, -'.sql'.length)}`;
      migrations[key] = {
        up: async (db) => {
          await sql.raw(text).execute(db);
        },
      };
    }
  }
  return migrations;
}

/** Asked while the migrator holds its lock, so the answer cannot age. */
async function applied(db: QueryExecutorProvider): Promise<Record<string, Migration>> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.id(migrationTable)}`.execute(db);
  const alreadyRun: Migration = { up: () => Promise.resolve() };
  return Object.fromEntries(rows.map(({ name }) => [name, alreadyRun]));
}

function migrationFault(name: string | undefined, cause: unknown): Error {
  if (isTransientFault(cause) || isPermanentFault(cause)) return cause;
  const what = name === undefined ? 'Migrating' : `The migration ${name}`;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PermanentFault('migration-failed', `${what} failed: ${why}.`, {
    cause,
    remedy: 'Nothing of it was applied. Correct the file or the schema and start again.',
  });
}
