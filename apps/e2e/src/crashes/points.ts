// Loaded before a service (`node --import`): watches every moment at which the service changes the world outside of it,
// and kills it at the one that was ordered. The service itself knows nothing of this: what is watched are the
// libraries through which all of it goes. A killed process gets no chance to say goodbye (SIGKILL).
//
//   arm:regenerateKey:before   the request has not been made        ...:sent   its bytes are out, no answer yet
//   ...:after                  the answer is here, nobody has read it
//   db:commit:before / :after (of the journal entry X: `db:commit:after of X`)
//   bus:send:before / :after (the broker took it)   bus:settle:before / :after
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

/** Journal entries whose commit can be told from others. */
const TOLD = /RegenerationIntended|PublicationIntended/;

let current: { order: Order; passed: number } | undefined;

function orderNow(): Order | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${service}.order.json`), 'utf8')) as Order;
  } catch {
    return undefined; // none is given
  }
}

function pass(point: string, about?: string): void {
  const order = orderNow();
  if (order === undefined) return;
  if (current?.order.id !== order.id) current = { order, passed: 0 };
  current.passed += 1;
  appendFileSync(join(folder, `${service}.${order.id}.points`), `${point}\n`);
  const names = [point, `${point} of ${about ?? ''}`, current.passed];
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
      pass(`${name}:before`);
      const request = original.apply(this, args) as ClientRequest;
      request.once('finish', () => {
        pass(`${name}:sent`);
      });
      request.prependOnceListener('response', (_: IncomingMessage) => {
        pass(`${name}:after`);
      });
      return request;
    };
  });
  syncBuiltinESMExports();
}

/** The journal entry among a statement's values, if it is one of those that can be told. */
function toldBy([first, second]: readonly unknown[]): string | undefined {
  const values = Array.isArray(second) ? second : (first as { values?: unknown[] }).values;
  for (const value of values?.flat() ?? []) {
    const told = typeof value === 'string' ? TOLD.exec(value)?.[0] : undefined;
    if (told !== undefined) return told;
  }
  return undefined;
}

/** Statements by which something becomes durable: a commit, or one outside of a transaction that writes. */
function watchDatabase(): void {
  const inTransaction = new WeakSet<object>();
  const toldIn = new WeakMap<object, string>();
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
      const told = toldBy(args);
      if (told !== undefined) toldIn.set(client, told);
      if (!isCommit && !writes) return original.apply(this, args);
      const about = toldIn.get(client);
      toldIn.delete(client);
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

function isOfMessages(link: Link | undefined): boolean {
  const { target, source } = link?.remote?.attach ?? {};
  return ![target?.address, source?.address].some((address) => /\$(cbs|management)/.test(address ?? ''));
}

function watchBus(): void {
  const Session = require('rhea/lib/session.js') as { prototype: object };
  const sending = new WeakMap<object, number>();
  const settling = new WeakMap<object, number>();
  const watched = new WeakSet<object>();
  const count = (map: WeakMap<object, number>, of: object, by: number) =>
    map.set(of, (map.get(of) ?? 0) + by);
  replace(Session.prototype, 'send', (original) => {
    return function (...args) {
      if (isOfMessages(args[0] as Link)) {
        pass('bus:send:before');
        count(sending, this as object, 1);
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
            if (isOfMessages(delivery?.link)) {
              pass('bus:settle:before');
              if (delivery?.link?.session !== undefined) count(settling, delivery.link.session, 1);
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
      const session = this as object;
      const [frame] = args as [{ performative: { role: boolean } }];
      const map = frame.performative.role ? sending : settling;
      if ((map.get(session) ?? 0) > 0) {
        count(map, session, -1);
        pass(frame.performative.role ? 'bus:send:after' : 'bus:settle:after');
      }
      return original.apply(this, args);
    };
  });
}

if (folder !== '') {
  watchCalls();
  watchDatabase();
  watchBus();
}
