import { PermanentFault, TransientFault } from '@twinkey/contracts';

type Transient = readonly [code: string, sentence: string, retryAfterMs?: number];

const unreachable: Transient = ['database-unreachable', 'does not answer', 1_000];
const connectionLost: Transient = ['database-connection-lost', 'closed the connection', 200];
const busy: Transient = ['database-busy', 'has no connection or memory left', 1_000];

/** By SQLSTATE, the longest match first; what is not listed here stays the driver's own error. */
const transientStates: Readonly<Record<string, Transient>> = {
  '08': connectionLost,
  '53': busy,
  '40001': ['serialization-conflict', 'could not serialize two transactions', 20],
  '40P01': ['deadlock', 'chose this transaction as the victim of a deadlock', 20],
  '55P03': ['lock-timeout', 'did not grant a lock in time', 200],
  '57014': ['query-cancelled', 'cancelled the query', 200],
  '57P01': connectionLost,
  '57P02': connectionLost,
  '57P03': unreachable,
  '57P05': connectionLost,
  '25P03': ['transaction-timed-out', 'ended a transaction that was idle for too long', 200],
  // A replica that was the primary a moment ago: after a fail-over the next connection finds the new one.
  '25006': ['database-read-only', 'accepts no writes', 1_000],
};

const permanentStates: Readonly<Record<string, readonly [string, string, string]>> = {
  '28': ['database-login-refused', 'refuses the login', 'Correct user and password in DATABASE_URL.'],
  '3D000': ['database-missing', 'has no such database', 'Create it, or correct DATABASE_URL.'],
  '42501': [
    'database-permission-missing',
    'denies a permission',
    'Grant the service its own schema: create on the database, or a schema it owns.',
  ],
};

/** What Node and `pg` report before or instead of an answer of the server. */
const systemErrors: Readonly<Record<string, Transient>> = {
  ECONNREFUSED: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
  ECONNRESET: connectionLost,
  EPIPE: connectionLost,
};

const driverMessages: readonly (readonly [pattern: RegExp, fault: Transient])[] = [
  [/due to connection timeout/i, unreachable],
  [/timeout exceeded when trying to connect/i, busy],
  [/connection terminated|connection error and is not queryable|client was closed/i, connectionLost],
  [/query read timeout/i, connectionLost],
];

/**
 * The one place where errors of `pg` become faults. `server` is host and port only: the url holds a password.
 * Errors that say something about the statement (a constraint, a type) come back unchanged.
 */
export function toFault(error: unknown, server: string): unknown {
  const code = codeOf(error);
  const message = messageOf(error);

  const permanent = code && lookUp(permanentStates, code);
  if (permanent) {
    const [name, sentence, remedy] = permanent;
    return new PermanentFault(name, `PostgreSQL at ${server} ${sentence}. ${remedy}`, {
      cause: error,
      remedy,
    });
  }

  const transient =
    (code && (lookUp(transientStates, code) ?? systemErrors[code])) ??
    driverMessages.find(([pattern]) => pattern.test(message))?.[1];
  if (!transient) return error;
  const [name, sentence, retryAfterMs] = transient;
  return new TransientFault(name, `PostgreSQL at ${server} ${sentence}${reason(code, message)}.`, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** Exact SQLSTATE first, then its class of two characters. */
function lookUp<T>(table: Readonly<Record<string, T>>, code: string): T | undefined {
  return table[code] ?? (code.length === 5 ? table[code.slice(0, 2)] : undefined);
}

function reason(code: string | undefined, message: string): string {
  const why = code ?? message;
  return why === '' ? '' : ` (${why})`;
}

// By shape and not by `instanceof Error`: an error of Node's own is of another realm than what a test runner loads.

/** The code of a system error or the SQLSTATE of the server's. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return '';
  return typeof error.message === 'string' ? error.message : '';
}
