import type { AmqpError } from './amqp/performatives.js';
import { DecodeError } from './amqp/reader.js';

/**
 * The broker says no. `status` is the code of management replies and of the HTTP API; the condition decides in the
 * SDK whether the caller tries again, and for a missing entity its text does.
 */
export class Refused extends Error implements AmqpError {
  override readonly name = 'Refused';

  constructor(
    readonly condition: string,
    readonly description: string,
    readonly status: number,
  ) {
    super(description);
  }
}

export const entityNotFound = (address: string): Refused =>
  new Refused('amqp:not-found', `The messaging entity '${address}' could not be found`, 404);
export const entityExists = (address: string): Refused =>
  new Refused('com.microsoft:entity-already-exists', `The messaging entity '${address}' already exists`, 409);
export const ruleNotFound = (name: string): Refused => entityNotFound(`Rules/${name}`);
export const notAllowed = (description: string): Refused => new Refused('amqp:not-allowed', description, 400);
export const invalidArgument = (description: string): Refused =>
  new Refused('com.microsoft:argument-error', description, 400);
export const notImplemented = (operation: string): Refused =>
  new Refused('amqp:not-implemented', `The operation '${operation}' is not supported`, 501);
export const unauthorized = (description: string): Refused =>
  new Refused('amqp:unauthorized-access', description, 401);
export const messageLockLost = (): Refused =>
  new Refused(
    'com.microsoft:message-lock-lost',
    'The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue',
    410,
  );
export const sessionLockLost = (): Refused =>
  new Refused(
    'com.microsoft:session-lock-lost',
    'The session lock has expired on the session. Request a new session receiver',
    410,
  );
export const sessionCannotBeLocked = (id: string): Refused =>
  new Refused(
    'com.microsoft:session-cannot-be-locked',
    `The requested session '${id}' cannot be accepted. It may be locked by another receiver`,
    409,
  );
export const noSession = (): Refused =>
  new Refused('com.microsoft:timeout', 'No session became available within the time allowed', 408);
export const messageNotFound = (): Refused =>
  new Refused(
    'com.microsoft:message-not-found',
    'The specified message does not exist or is not in the expected state',
    404,
  );
export const messageTooLarge = (limit: number): Refused =>
  new Refused(
    'amqp:link:message-size-exceeded',
    `The received message is larger than the limit of ${limit} bytes`,
    400,
  );
export const serverBusy = (): Refused =>
  new Refused(
    'com.microsoft:server-busy',
    'The request was terminated because the entity is being throttled. Error code : 50009. Please wait 2 seconds and try again',
    503,
  );
export const entityDisabled = (address: string): Refused =>
  new Refused(
    'com.microsoft:entity-disabled',
    `The messaging entity '${address}' is disabled for this operation`,
    403,
  );
export const quotaExceeded = (description: string): Refused =>
  new Refused('amqp:resource-limit-exceeded', description, 403);

/** A `Refused` as it is; anything else is a defect of the broker and told as an internal error. */
export function asRefused(error: unknown): Refused {
  if (error instanceof Refused) return error;
  // Maps are read on demand, so what is wrong within one shows as late as here.
  if (error instanceof DecodeError) return new Refused('amqp:decode-error', error.message, 400);
  return new Refused('amqp:internal-error', 'The broker could not carry out the operation', 500);
}
