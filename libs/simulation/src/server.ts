// The real PostgreSQL, asked one thing at a time, with the time of the world that asks.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { Client, TypeOverrides, types, type QueryResult } from 'pg';

export type Schema = string;

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The server's connections of this process, kept from world to world. */
export class Server {
  readonly #clients = new Map<Schema, Promise<Client>>();
  readonly #names = new Map<string, string>();
  readonly #last = new Map<Schema, Promise<unknown>>();

  constructor(readonly url: string) {}

  async query(schema: Schema, { text, values }: Statement, now: Date): Promise<QueryResult> {
    const client = await this.#client(schema);
    let timed = text;
    const all = [...values];
    if (/\b(?:clock_timestamp|now)\(\)/.test(text)) {
      timed = text.replaceAll(/\b(?:clock_timestamp|now)\(\)/g, `$${all.length + 1}::timestamptz`);
      all.push(now.toISOString());
    }
    return this.#inTurn(schema, () => client.query({ name: this.#nameOf(timed), text: timed, values: all }));
  }

  async run(schema: Schema, text: string): Promise<QueryResult> {
    const client = await this.#client(schema);
    return this.#inTurn(schema, () => client.query(text));
  }

  #client(schema: Schema): Promise<Client> {
    let client = this.#clients.get(schema);
    if (client === undefined) {
      client = connect(this.url, schema);
      this.#clients.set(schema, client);
    }
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await (await client).end();
    this.#clients.clear();
  }

  /** What nobody waits for, a rollback say, is done before what is asked next. */
  #inTurn(schema: Schema, work: () => Promise<QueryResult>): Promise<QueryResult> {
    const turn = (this.#last.get(schema) ?? Promise.resolve()).then(work);
    this.#last.set(
      schema,
      turn.catch(() => undefined),
    );
    return turn;
  }

  #nameOf(text: string): string {
    const known = this.#names.get(text) ?? `s${this.#names.size}`;
    this.#names.set(text, known);
    return known;
  }
}

/** As `openDatabase` reads them. */
const parsers = new TypeOverrides();
parsers.setTypeParser(types.builtins.INT8, Number);

async function connect(url: string, schema: Schema): Promise<Client> {
  const options = { connectionString: url, options: `-c search_path=${schema}`, types: parsers };
  const client = new Client(options);
  await client.connect();
  const host = await socketOf(client);
  if (host === null) return client;
  await client.end();
  const nearer = new Client({ ...options, connectionString: withHost(url, host) });
  await nearer.connect();
  return nearer;
}

/** Where the server listens beside TCP, if this process can get there: half the processor time per statement. */
async function socketOf(client: Client): Promise<string | null> {
  const { rows } = await client.query<{ unix_socket_directories: string }>('show unix_socket_directories');
  const [folder = ''] = (rows[0]?.unix_socket_directories ?? '').split(',');
  return folder !== '' && existsSync(path.join(folder, `.s.PGSQL.${client.port}`)) ? folder : null;
}

function withHost(url: string, host: string): string {
  const nearer = new URL(url);
  nearer.searchParams.set('host', host);
  return nearer.href;
}
