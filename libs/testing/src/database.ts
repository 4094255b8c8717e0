import { createDatabase } from '@twinkey/postgres-local';
import { Client } from 'pg';
import { testCluster } from './cluster.js';

export interface TestDatabase {
  /** As superuser of a database that nobody else uses. */
  readonly url: string;
  /** Removes the database, with whatever is still connected to it. */
  drop(): Promise<void>;
}

type Prepare = (url: string) => Promise<void>;

let swept: Promise<void> | undefined;
let count = 0;
const templates = new Map<Prepare, Promise<string>>();

/**
 * A fresh database on the shared test server. With `prepare` it is a copy (30 ms) of one that `prepare` filled
 * once in this test file; it must close its connections. Databases of test processes that are gone are swept.
 */
export async function testDatabase({ prepare }: { readonly prepare?: Prepare } = {}): Promise<TestDatabase> {
  const { url } = await testCluster();
  swept ??= sweep(url);
  await swept;
  const template = prepare && (await templateOf(url, prepare));
  const name = nextName();
  return {
    url: await createDatabase(url, name, template),
    drop: () => ask(url, (client) => dropDatabase(client, name)),
  };
}

function templateOf(url: string, prepare: Prepare): Promise<string> {
  let template = templates.get(prepare);
  if (!template) {
    const name = nextName();
    template = createDatabase(url, name)
      .then(prepare)
      .then(() => name);
    templates.set(prepare, template);
  }
  return template;
}

/** The time keeps test files apart that run in one worker process one after the other. */
function nextName(): string {
  return `t_${process.pid}_${Date.now().toString(36)}_${++count}`;
}

async function sweep(url: string): Promise<void> {
  await ask(url, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      `select datname as name from pg_database where datname like 't\\_%'`,
    );
    for (const { name } of rows) {
      const pid = Number(name.split('_')[1]);
      if (pid !== process.pid && !runs(pid)) await dropDatabase(client, name);
    }
  });
}

async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`drop database if exists "${name}" with (force)`);
}

async function ask(url: string, question: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await question(client);
  } finally {
    await client.end();
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // By shape: errors of Node's own are of another realm than what jest loads.
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM';
  }
}
