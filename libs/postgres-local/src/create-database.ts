import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { codeOf } from './error-code.js';

const waitForTemplateMs = 5_000;
const pollMs = 25;

/**
 * Creates the database `name` on the server of `url`, as a copy of `template` if one is named, and returns its url.
 * One that exists already is left as it is.
 */
export async function createDatabase(url: string, name: string, template?: string): Promise<string> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined); // a lost connection also fails the query, which is where it is reported
  await client.connect();
  try {
    const copy = template === undefined ? '' : ` template ${quote(template)} strategy wal_log`;
    await create(client, `create database ${quote(name)}${copy}`);
  } finally {
    await client.end();
  }
  const created = new URL(url);
  created.pathname = `/${encodeURIComponent(name)}`;
  return created.href;
}

async function create(client: Client, statement: string): Promise<void> {
  const deadline = Date.now() + waitForTemplateMs;
  for (;;) {
    try {
      await client.query(statement);
      return;
    } catch (error) {
      const code = codeOf(error);
      if (code === '42P04' || code === '23505') return; // exists; or someone creates it at the same time
      // A template can be copied only while nobody is connected to it; connections that were closed linger.
      if (code !== '55006' || Date.now() > deadline) throw error;
      await delay(pollMs);
    }
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
