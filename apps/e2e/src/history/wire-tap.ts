// Loaded before the embedded Azure (`node --import`): the witness. It writes down what arrives there, what is answered,
// and what becomes durable, in the order of that one process; the embedded Azure knows nothing of it. A line is in the
// file before the process goes on, so that neither its own death nor that of a caller loses one. After a start the
// records are read again, so that a change that became durable while the process died is seen too.
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Fact } from './facts.js';

const file = process.env['HISTORY_FILE'] ?? '';
const salt = process.env['HISTORY_SALT'] ?? '';
const { appendFileSync, openSync, readFileSync, writeSync } = fs;

type Told<F = Fact> = F extends Fact ? Omit<F, 'at'> : never;

function tell(fact: Told): void {
  appendFileSync(file, `${JSON.stringify({ at: Date.now(), ...fact })}\n`);
}

/** As the glossary has it, written anew: HMAC-SHA-256 under the installation's salt, 32 digits. */
function fingerprintOf(key: string): string {
  return createHmac('sha256', salt).update(key).digest('hex').slice(0, 32);
}

const records = /^(accounts|vault-[^.]*)\.jsonl$/;
const tables = new Map<number, string>();

function watchRecords(): void {
  fs.openSync = (...args: Parameters<typeof openSync>) => {
    const descriptor = openSync(...args);
    const name = basename(String(args[0]));
    tables.delete(descriptor); // a number that was closed is given out again
    if (records.test(name) && args[1] === 'a') {
      tables.set(descriptor, name);
      for (const line of readFileSync(String(args[0]), 'utf8').split('\n')) tellRecord(name, line);
    }
    return descriptor;
  };
  const writing = writeSync as (descriptor: number, bytes: Buffer, offset?: number) => number;
  fs.writeSync = ((descriptor: number, bytes: Buffer, offset?: number) => {
    const written = writing(descriptor, bytes, offset);
    const table = tables.get(descriptor);
    // A record is one write, except on a disk that is full.
    if (table !== undefined) tellRecord(table, bytes.toString('utf8'));
    return written;
  }) as typeof writeSync;
}

interface Stored {
  readonly keys?: { readonly key1: string; readonly key2: string };
  readonly current?: string;
  readonly value?: string;
  readonly id?: string;
  readonly enabled?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
}

function tellRecord(table: string, line: string): void {
  if (line.trim() === '') return;
  for (const [key, stored] of JSON.parse(line) as [string, Stored | null][]) {
    if (stored === null) continue;
    const { keys, current, value, id, enabled = true, tags = {} } = stored;
    if (table === 'accounts.jsonl' && keys !== undefined) {
      const [key1, key2] = [fingerprintOf(keys.key1), fingerprintOf(keys.key2)];
      tell({ fact: 'keys', account: key, key1, key2 });
    } else if (value !== undefined && id !== undefined) {
      const [secret = ''] = key.split('/');
      tell({ fact: 'version', secret, version: id, key: fingerprintOf(value), tags, enabled });
    } else if (current !== undefined) tell({ fact: 'current', secret: key, version: current });
  }
}

let arrivals = 0;

function watchRequests(): void {
  const https = createRequire(import.meta.url)('node:https') as {
    createServer: (...args: unknown[]) => Server;
  };
  const { createServer } = https;
  https.createServer = (...args) => {
    const server = createServer(...args);
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      arrivals += 1;
      const id = `${process.pid}-${arrivals}`;
      const path = (request.url ?? '').split('?')[0] ?? '';
      const regenerated = /\/accounts\/([^/]+)\/regenerateKey$/i.exec(path)?.[1];
      if (regenerated !== undefined) tellAsked(id, regenerated, request, response);
      else tellCall(id, path, request, response);
    });
    return server;
  };
}

function tellCall(id: string, path: string, request: IncomingMessage, response: ServerResponse): void {
  const key = request.headers['ocp-apim-subscription-key'] ?? request.headers['api-key'];
  if (typeof key !== 'string') return;
  const account = (path.split('/')[1] ?? '').toLowerCase();
  const caller = request.headers['user-agent']?.split(' ')[0] ?? '';
  tell({ fact: 'call', id, account, key: fingerprintOf(key), caller });
  tellAnswer(id, response);
}

/** The slot is in the body; the server reads it as well. */
function tellAsked(id: string, account: string, request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => {
    // As text: a body that is no JSON is the server's to refuse, and the witness must not fall over it.
    const slot = /"keyName"\s*:\s*"(key[12])"/i
      .exec(Buffer.concat(chunks).toString('utf8'))?.[1]
      ?.toLowerCase();
    if (slot === 'key1' || slot === 'key2') tell({ fact: 'asked', id, account: account.toLowerCase(), slot });
  });
  tellAnswer(id, response);
}

function tellAnswer(id: string, response: ServerResponse): void {
  response.once('close', () => {
    tell({ fact: 'answer', id, status: response.writableFinished ? response.statusCode : 'cut' });
  });
}

if (file !== '') {
  watchRecords();
  watchRequests();
  syncBuiltinESMExports();
}
