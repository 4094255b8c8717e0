// Loaded before a service (`node --import`): watches every moment at which the service changes the world outside of it,
// and kills it at the one that was ordered. The service itself knows nothing of this: what is watched are the
// libraries through which all of it goes. A killed process gets no chance to say goodbye (SIGKILL).
//
//   arm:regenerateKey:before   the request has not been made        ...:sent   its bytes are out, no answer yet
//   ...:after                  the answer is here, nobody has read it
//   db:commit:before / :after
//   bus:send:before / :after (the broker took it)   bus:settle:before / :after
//
// A moment is a point and what it is about: `db:commit:after of RegenerationIntended` (a journal entry, or else the
// tables that were written), `bus:send:before of switch-requests`.
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import type { ClientRequest, IncomingMessage } from 'node:http';

const folder = process.env['CRASH_POINTS'] ?? '';
const service = /apps[\\/]([a-z-]+)[\\/]/.exec(process.argv[1] ?? '')?.[1] ?? 'unknown';

export interface Order {
  readonly id: string;
  /** Dies at the so-manyth point since the order was first seen, or at the first of that name; 0: only notes them. */
  readonly dieAt: number | string;
  /** Frozen as by a machine that is out of memory or moved to another one, in place of dying. */
  readonly how?: 'dies' | 'freezes';
}

/** How journal entries are called: a value of a statement that is nothing but such a name. */
const ENTRY = /^(?:[A-Z][a-z]+(?:[A-Z][a-z]+)+|[a-z]+(?:-[a-z]+)+)$/;

let current: { order: Order; passed: number } | undefined;

function orderNow(): Order | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${service}.order.json`), 'utf8')) as Order;
  } catch {
    return undefined; // none is given
  }
}

function pass(point: string, about: readonly string[]): void {
  const order = orderNow();
  if (order === undefined) return;
  if (current?.order.id !== order.id) current = { order, passed: 0 };
  current.passed += 1;
  const moments = about.map((one) => `${point} of ${one}`);
  appendFileSync(
    join(folder, `${service}.${order.id}.points`),
    `${(moments.length > 0 ? moments : [point]).join('\t')}\n`,
  );
  const names = [point, ...moments, current.passed];
  if (names.includes(order.dieAt) && isFirst(order, point))
    process.kill(process.pid, order.how === 'freezes' ? 'SIGSTOP' : 'SIGKILL');
}

/** Once: the next process is to live, and so is the other one of two. */
function isFirst(order: Order, point: string): boolean {
  try {
    const died = join(folder, `${service}.${order.id}.died`);
    writeFileSync(died, `${point}\n${process.pid}`, { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

function replace(target: object, name: string, make: (original: AnyFunction) => AnyFunction): void {
  const holder = target as Record<string, AnyFunction>;
  const original = holder[name];
  if (original === undefined) throw new Error(`there is no ${name} to watch`);
  holder[name] = make(original);
}

const require = createRequire(import.meta.url);

/** Calls to Azure that change something, or whose answer the service goes by. */
const CALLS: readonly (readonly [RegExp, string])[] = [
  [/^POST .*\/regenerateKey\?/i, 'arm:regenerateKey'],
  [/^POST .*\/listKeys\?/i, 'arm:listKeys'],
  [/^PUT .*\/secrets\//i, 'vault:setSecret'],
];

function watchCalls(): void {
  replace(require('node:https') as object, 'request', (original) => {
    return function (...args) {
      const [options] = args as [{ method?: string; path?: string }];
      const call = `${options.method ?? 'GET'} ${options.path ?? ''}`;
      const name = CALLS.find(([pattern]) => pattern.test(call))?.[1];
      if (name === undefined) return original.apply(this, args);
      pass(`${name}:before`, []);
      const request = original.apply(this, args) as ClientRequest;
      request.once('finish', () => {
        pass(`${name}:sent`, []);
      });
      request.prependOnceListener('response', (_: IncomingMessage) => {
        pass(`${name}:after`, []);
      });
      return request;
    };
  });
  syncBuiltinESMExports();
}

/** The journal entries among a statement's values. */
function entriesIn([first, second]: readonly unknown[]): readonly string[] {
  const values = Array.isArray(second) ? second : (first as { values?: unknown[] }).values;
  return (values ?? [])
    .flat()
    .filter((value): value is string => typeof value === 'string' && ENTRY.test(value));
}

/** The tables that a statement writes. */
function tablesIn(text: string): readonly string[] {
  return [...text.matchAll(/\b(?:insert into|(?<!for )update|delete from)\s+"?([a-z_]+)"?/gi)]
    .map(([, table = '']) => table)
    .filter((table) => table !== 'set' && table !== 'of');
}

/** What one connection has written since its last commit. */
class Written {
  readonly #entries = new Set<string>();
  readonly #tables = new Set<string>();

  add(text: string, args: readonly unknown[]): void {
    const tables = tablesIn(text);
    for (const table of tables) this.#tables.add(table);
    if (tables.includes('journal')) for (const entry of entriesIn(args)) this.#entries.add(entry);
  }

  get about(): readonly string[] {
    if (this.#entries.size > 0) return [...this.#entries];
    return this.#tables.size > 0 ? [[...this.#tables].sort().join(' and ')] : ['nothing'];
  }
}

/** Statements by which something becomes durable: a commit, or one outside of a transaction that writes. */
function watchDatabase(): void {
  const inTransaction = new WeakSet<object>();
  const written = new WeakMap<object, Written>();
  const { Client } = require('pg') as { Client: { prototype: object } };
  replace(Client.prototype, 'query', (original) => {
    return function (...args) {
      const client = this as object;
      const [first] = args;
      const text = typeof first === 'string' ? first : ((first as { text?: string }).text ?? '');
      const isCommit = /^\s*commit\b/i.test(text);
      if (/^\s*(begin|start transaction)\b/i.test(text)) inTransaction.add(client);
      if (isCommit || /^\s*rollback\b/i.test(text)) inTransaction.delete(client);
      const writes = !inTransaction.has(client) && /\b(insert into|update|delete from)\b/i.test(text);
      const since = written.get(client) ?? new Written();
      since.add(text, args);
      written.set(client, since);
      if (!isCommit && !writes) return original.apply(this, args);
      written.delete(client);
      const { about } = since;
      pass('db:commit:before', about);
      const answer = original.apply(this, args);
      if (!(answer instanceof Promise)) return answer;
      return answer.then((value: unknown) => {
        pass('db:commit:after', about);
        return value;
      });
    };
  });
}

interface Link {
  readonly remote?: { attach?: { target?: { address?: string }; source?: { address?: string } } };
}

/** The queue, topic or subscription at an end of a link; undefined: it is none of messages. */
function entityOf(link: Link | undefined, end: 'target' | 'source'): string | undefined {
  const { target, source } = link?.remote?.attach ?? {};
  const isOfMessages = ![target?.address, source?.address].some((one) =>
    /\$(cbs|management)/.test(one ?? ''),
  );
  return isOfMessages ? (link?.remote?.attach?.[end]?.address ?? 'an entity') : undefined;
}

/** What is under way on each session, first in first out. */
class UnderWay {
  readonly #entities = new WeakMap<object, string[]>();

  begin(session: object, entity: string): void {
    const known = this.#entities.get(session) ?? [];
    this.#entities.set(session, [...known, entity]);
  }

  end(session: object): string | undefined {
    return this.#entities.get(session)?.shift();
  }
}

function watchBus(): void {
  const Session = require('rhea/lib/session.js') as { prototype: object };
  const sending = new UnderWay();
  const settling = new UnderWay();
  const watched = new WeakSet<object>();
  replace(Session.prototype, 'send', (original) => {
    return function (...args) {
      const entity = entityOf(args[0] as Link, 'target');
      if (entity !== undefined) {
        pass('bus:send:before', [entity]);
        sending.begin(this as object, entity);
      }
      return original.apply(this, args);
    };
  });
  replace(Session.prototype, 'on_transfer', (original) => {
    return function (...args) {
      // Deliveries settle through an object that is reachable only from a session.
      const session = this as { incoming: object };
      const incoming = Object.getPrototypeOf(session.incoming) as object;
      if (!watched.has(incoming)) {
        watched.add(incoming);
        replace(incoming, 'update', (update) => {
          return function (...given) {
            const [delivery] = given as [{ link?: Link & { session?: object } } | undefined];
            const entity = entityOf(delivery?.link, 'source');
            if (entity !== undefined) {
              pass('bus:settle:before', [entity]);
              if (delivery?.link?.session !== undefined) settling.begin(delivery.link.session, entity);
            }
            return update.apply(this, given);
          };
        });
      }
      return original.apply(this, args);
    };
  });
  replace(Session.prototype, 'on_disposition', (original) => {
    return function (...args) {
      const [frame] = args as [{ performative: { role: boolean } }];
      const { role } = frame.performative;
      const entity = (role ? sending : settling).end(this as object);
      if (entity !== undefined) pass(role ? 'bus:send:after' : 'bus:settle:after', [entity]);
      return original.apply(this, args);
    };
  });
}

if (folder !== '') {
  watchCalls();
  watchDatabase();
  watchBus();
}
