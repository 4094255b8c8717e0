// The tables of the three services, made once and emptied for each world.
import { migrate, openDatabase } from '@twinkey/journal';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import path from 'node:path';
import type { Server } from './server.js';

export const SCHEMAS = ['scheduler', 'rotator', 'notifier'] as const;

const require = createRequire(import.meta.url);

/** For `testDatabase({ prepare })`. */
export async function makeTables(url: string): Promise<void> {
  for (const schema of SCHEMAS) {
    const database = await openDatabase({ url, schema, applicationName: 'simulation' });
    const app = path.dirname(require.resolve(`@twinkey/${schema}/package.json`));
    await migrate(database, [pathToFileURL(path.join(app, 'migrations/'))]);
    await database.close();
  }
}

const emptyings = new WeakMap<Server, Promise<string>[]>();

/** The journal refuses to be emptied, as it should; who replicates it may. */
export async function emptyTables(server: Server): Promise<void> {
  const texts = emptyings.get(server) ?? SCHEMAS.map((schema) => emptyingOf(server, schema));
  emptyings.set(server, texts);
  for (const [i, text] of (await Promise.all(texts)).entries())
    await server.run(SCHEMAS[i] ?? 'scheduler', text);
}

async function emptyingOf(server: Server, schema: string): Promise<string> {
  const { rows } = (await server.run(
    schema,
    `select tablename from pg_tables where schemaname = '${schema}' and tablename not like 'migration%' order by 1`,
  )) as { rows: { tablename: string }[] };
  const tables = rows.map(({ tablename }) => `${schema}.${tablename}`).join(', ');
  return `rollback; set session_replication_role = replica; truncate ${tables} restart identity; set session_replication_role = origin`;
}
