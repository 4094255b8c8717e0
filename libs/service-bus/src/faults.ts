import {
  Interrupted,
  isInterrupted,
  isPermanentFault,
  isTransientFault,
  PermanentFault,
  TransientFault,
} from '@twinkey/contracts';

type Fault = TransientFault | PermanentFault | Interrupted;

interface Row {
  readonly next: 'again' | 'never' | 'leave';
  readonly code: string;
  /** Completes the sentence "Service Bus …". */
  readonly says: string;
  readonly retryAfterMs?: number;
  readonly remedy?: string;
}

const unreachable: Row = {
  next: 'again',
  code: 'bus-unreachable',
  says: 'does not answer',
  retryAfterMs: 1_000,
};
const throttled: Row = {
  next: 'again',
  code: 'bus-throttled',
  says: 'asks to slow down',
  retryAfterMs: 2_000,
};
const unauthorized: Row = {
  next: 'never',
  code: 'bus-unauthorized',
  says: 'does not accept the identity of this service',
  remedy:
    'Give the identity the roles Azure Service Bus Data Sender and Data Receiver on the namespace, or correct the connection string.',
};
const missing: Row = {
  next: 'never',
  code: 'bus-entity-missing',
  says: 'has no such queue, topic or subscription',
  remedy: 'Create the entities of the topology in the namespace.',
};
const noToken: Row = {
  ...unauthorized,
  says: 'cannot be asked, because Entra issues no token for this service',
  remedy: 'Check AZURE_TENANT_ID, AZURE_CLIENT_ID and the secret or federation of the identity.',
};

/** By the `code` of the SDK, of Node or of the pipeline under the administration client. What is not here may pass by itself. */
const rows: Readonly<Record<string, Row>> = {
  ServiceBusy: throttled,
  ServiceTimeout: { next: 'again', code: 'bus-timeout', says: 'did not answer in time' },
  ServiceCommunicationProblem: unreachable,
  MessagingEntityNotFound: missing,
  MessageEntityNotFoundError: missing,
  UnauthorizedAccess: unauthorized,
  UnauthorizedRequestError: unauthorized,
  QuotaExceeded: {
    next: 'again',
    code: 'bus-full',
    says: 'has no room left in the entity',
    retryAfterMs: 30_000,
  },
  MessagingEntityDisabled: {
    next: 'never',
    code: 'bus-entity-disabled',
    says: 'has the entity disabled',
    remedy: 'Set the status of the entity to Active.',
  },
  MessageSizeExceeded: {
    next: 'never',
    code: 'message-too-large',
    says: 'does not take messages of this size',
    remedy: 'Make the message smaller.',
  },
  MessageLockLost: { next: 'leave', code: 'message-lock-lost', says: 'has taken the message back' },
  MessageNotFound: { next: 'leave', code: 'message-lock-lost', says: 'has taken the message back' },
  CredentialUnavailableError: noToken,
  AuthenticationRequiredError: noToken,
  AuthenticationError: noToken,
  AbortError: { next: 'leave', code: 'bus-closed', says: 'is not used any more: the connection was closed' },
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  ETIMEDOUT: unreachable,
  REQUEST_SEND_ERROR: unreachable,
};

const unknown: Row = { next: 'again', code: 'bus-failed', says: 'could not do it' };

/** The one place where errors of the SDK become faults. `where` is an entity or host, never a secret. */
export function toFault(error: unknown, where: string): Fault {
  if (isTransientFault(error) || isPermanentFault(error) || isInterrupted(error)) return error;
  const last = lastAttempt(error);
  const { next, code, says, retryAfterMs, remedy } = rowOf(last);
  const { message: why = String(last) } = (last ?? {}) as { message?: string };
  const message = `Service Bus ${says} (${where}): ${firstLine(why)}`;
  switch (next) {
    case 'again':
      return new TransientFault(code, message, {
        cause: error,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
    case 'never':
      return new PermanentFault(code, message, { cause: error, ...(remedy === undefined ? {} : { remedy }) });
    case 'leave':
      return new Interrupted(code, message, { cause: error });
  }
}

/** What the SDK retried comes as all its attempts together; the last one says how it is now. */
function lastAttempt(error: unknown): unknown {
  const { errors } = (error ?? {}) as { errors?: unknown };
  return Array.isArray(errors) && errors.length > 0 ? lastAttempt(errors.at(-1)) : error;
}

/** By shape, not by class: there may be several copies of the SDK's error classes in one process. */
function rowOf(error: unknown): Row {
  const { name, code, statusCode, message } = (error ?? {}) as Partial<Record<string, unknown>>;
  if (statusCode === 401 || statusCode === 403) return unauthorized;
  if (statusCode === 404) return missing;
  if (statusCode === 429 || statusCode === 503) return throttled;
  const known = rows[String(code)] ?? rows[String(name)];
  if (known !== undefined) return known;
  // A refused connection comes out of the SDK as a GeneralError with the real reason in its text only.
  const text = String(message);
  const inText = /\b(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT)\b/.exec(text)?.[1];
  if (inText !== undefined) return rows[inText] ?? unknown;
  return /Failed to connect|socket|disconnected|connection .*closed/i.test(text) ? unreachable : unknown;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}
