// What the SDKs throw, turned into faults classed by what happens next. The one table of this adapter.
import { isPermanentFault, isTransientFault, PermanentFault, TransientFault } from '@twinkey/contracts';
import { withoutKeys } from './secret-text.js';

/** Nothing reached the other side: no address, nobody listening; or a certificate that was not accepted. */
const NO_LISTENER = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN)$/;
const UNTRUSTED = /^(CERT|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|ERR_TLS_CERT)_/;

/** Asked again after this when a 429 names no time. */
const THROTTLED_DEFAULT_MS = 10_000;

type Row = {
  readonly status: number;
  /** Looked for in the error's codes and message. */
  readonly saying?: RegExp;
  readonly code: string;
} & (
  | { readonly fault: 'transient' }
  /** Nothing gets better by itself, so a person has to hear what to do. */
  | { readonly fault: 'permanent'; readonly remedy: string }
);

const ARM: readonly Row[] = [
  {
    status: 400,
    saying: /disableLocalAuth/i,
    fault: 'permanent',
    code: 'local-auth-disabled',
    remedy: 'Allow keys on the account (disableLocalAuth: false), or take it out of rotation.',
  },
  { status: 401, fault: 'transient', code: 'token-refused' },
  {
    status: 403,
    fault: 'permanent',
    code: 'access-refused',
    remedy:
      'Grant the identity Microsoft.CognitiveServices/accounts/read, listKeys/action and regenerateKey/action on the account.',
  },
  {
    status: 404,
    fault: 'permanent',
    code: 'account-not-found',
    remedy: 'Check the subscription, resource group and name, or take the account out of rotation.',
  },
  { status: 409, fault: 'transient', code: 'account-busy' },
];

const VAULT: readonly Row[] = [
  { status: 401, fault: 'transient', code: 'token-refused' },
  {
    status: 403,
    fault: 'permanent',
    code: 'access-refused',
    remedy:
      'Grant the identity the role twinkey secret publisher (deploy/bicep) on the vault, and let it through the firewall; twinkey doctor prints the command.',
  },
  {
    status: 404,
    fault: 'permanent',
    code: 'secret-unusable',
    remedy: 'Check the vault URL and the secret name.',
  },
  {
    status: 409,
    saying: /ObjectIsDeletedButRecoverable/,
    fault: 'permanent',
    code: 'secret-unusable',
    remedy: 'The secret was deleted: recover it, or purge it, then replay.',
  },
  { status: 409, fault: 'transient', code: 'vault-conflict' },
];

export function armFault(error: unknown): TransientFault | PermanentFault {
  return faultOf(error, 'Resource Manager', ARM);
}

export function vaultFault(error: unknown): TransientFault | PermanentFault {
  return faultOf(error, 'Key Vault', VAULT);
}

function faultOf(error: unknown, service: string, rows: readonly Row[]): TransientFault | PermanentFault {
  if (isTransientFault(error) || isPermanentFault(error)) return error;
  const text = `${service}: ${describeError(error)}`;
  const cause = withoutTraffic(error);
  const status = statusOf(error);
  if (status === undefined) return withoutAnswer(error, text, cause);
  if (status === 429) {
    return new TransientFault('throttled', text, {
      cause,
      retryAfterMs: retryAfterOf(error) ?? THROTTLED_DEFAULT_MS,
    });
  }
  const said = `${codesOf(error).join(' ')} ${text}`;
  const row = rows.find((each) => each.status === status && (each.saying?.test(said) ?? true));
  if (row?.fault === 'transient') return new TransientFault(row.code, text, { cause });
  if (row?.fault === 'permanent') return new PermanentFault(row.code, text, { cause, remedy: row.remedy });
  if (status >= 500 || status === 408) {
    const retryAfterMs = retryAfterOf(error);
    return new TransientFault(
      'service-unavailable',
      text,
      retryAfterMs === undefined ? { cause } : { cause, retryAfterMs },
    );
  }
  return new PermanentFault('unexpected-answer', text, { cause });
}

function withoutAnswer(error: unknown, text: string, cause: Error): TransientFault | PermanentFault {
  if (/^The challenge resource/.test(cause.message)) {
    return new PermanentFault('secret-unusable', text, {
      cause,
      remedy:
        'The vault URL must lie below vault.azure.net; for a vault of your own machine or cluster set TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK=true.',
    });
  }
  if (isTokenFailure(error)) return new TransientFault('token-unavailable', text, { cause });
  const code = codeOf(error) ?? '';
  if (UNTRUSTED.test(code)) {
    return new TransientFault(
      'unreachable',
      `${text} (${code}: is NODE_EXTRA_CA_CERTS set before the process starts?)`,
      { cause },
    );
  }
  return new TransientFault(isAbort(error) ? 'deadline-passed' : 'unreachable', text, { cause });
}

/** True when the request cannot have left: the connection was never there. */
export function neverConnected(error: unknown): boolean {
  const code = codeOf(error) ?? '';
  return statusOf(error) === undefined && (NO_LISTENER.test(code) || UNTRUSTED.test(code));
}

export function isTokenFailure(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(AuthenticationError|AggregateAuthenticationError|CredentialUnavailableError|AuthenticationRequiredError)$/.test(
      error.name,
    )
  );
}

export function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

/**
 * What the service answered; undefined when it did not. The status in a token's failure is that of the identity
 * service, and says nothing about a call that needed the token.
 */
export function statusOf(error: unknown): number | undefined {
  if (isTokenFailure(error)) return undefined;
  const status = property(error, 'statusCode');
  return typeof status === 'number' ? status : undefined;
}

function codeOf(error: unknown): string | undefined {
  const code = property(error, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** The error's own code and those inside: Key Vault says the interesting thing in `innererror`. */
export function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  const details = property(error, 'details');
  for (const source of [error, property(details, 'error')]) {
    for (
      let each: unknown = source;
      each !== undefined;
      each = property(each, 'innerError') ?? property(each, 'innererror')
    ) {
      const code = property(each, 'code');
      if (typeof code === 'string') codes.push(code);
    }
  }
  return codes;
}

/** `Retry-After` of the answer in milliseconds: seconds or a date; Azure also sends milliseconds. */
export function retryAfterOf(error: unknown, now: () => number = Date.now): number | undefined {
  const headers = property(property(error, 'response'), 'headers');
  const get = property(headers, 'get');
  if (typeof get !== 'function') return undefined;
  const header = (name: string): string | undefined => {
    const value: unknown = get.call(headers, name);
    return typeof value === 'string' ? value : undefined;
  };
  const milliseconds = Number(header('retry-after-ms') ?? header('x-ms-retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(milliseconds)) return milliseconds;
  const after = header('retry-after');
  if (after === undefined) return undefined;
  const seconds = Number(after);
  if (Number.isFinite(seconds)) return seconds * 1000;
  const at = Date.parse(after);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now());
}

/**
 * One line about a foreign error. When a body could not be read, the SDKs quote it whole in their message,
 * and the body of listKeys is two keys: such a message is replaced.
 */
export function describeError(error: unknown): string {
  const status = statusOf(error);
  const code = codesOf(error)[0];
  const message = quotesBody(error) ? 'the answer could not be read' : withoutKeys(messageOf(error));
  const where = [status, code].filter((part) => part !== undefined).join(' ');
  return where === '' ? message : `${where}: ${message}`;
}

function quotesBody(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const status = statusOf(error);
  return /response ?body/i.test(error.message) || (status !== undefined && status < 300);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Happy-eyeballs failures are AggregateErrors with an empty message.
  return error.message === '' ? (codeOf(error) ?? error.name) : error.message;
}

/** The cause to keep: name, text and stack, but neither request nor response, whose bodies and headers carry secrets. */
function withoutTraffic(error: unknown): Error {
  const copy = new Error(quotesBody(error) ? 'the answer could not be read' : withoutKeys(messageOf(error)));
  if (error instanceof Error) {
    copy.name = error.name;
    const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
    copy.stack = [`${copy.name}: ${copy.message}`, ...frames].join('\n');
  }
  return copy;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
