import { Reader } from '../amqp/reader.js';
import { bytesOf, string } from '../amqp/put.js';
import { invalidArgument } from '../errors.js';
import type { Stamps } from './message-out.js';
import type { Stored } from './stored.js';

/** Changes of application properties, each value in its encoding. */
export type Modifications = ReadonlyMap<string, Buffer>;

const LONGEST_REASON = 4096;
const REASON = 'DeadLetterReason';
const DESCRIPTION = 'DeadLetterErrorDescription';

export function deadLetterProperties(reason: string, description: string): Modifications {
  return new Map([
    [REASON, bytesOf(string(reason.slice(0, LONGEST_REASON)))],
    [DESCRIPTION, bytesOf(string(description.slice(0, LONGEST_REASON)))],
  ]);
}

/** Throws `Refused` when a client's reason or description is too long. */
export function checkReason(changes: Modifications): void {
  for (const name of [REASON, DESCRIPTION]) {
    const bytes = changes.get(name);
    if (bytes === undefined || bytes.length <= LONGEST_REASON) continue;
    const value = new Reader(bytes).value();
    if (typeof value === 'string' && value.length > LONGEST_REASON)
      throw invalidArgument(`${name} has ${value.length} characters; it may have at most ${LONGEST_REASON}`);
  }
}

const STATE_CODES = { active: 0, deferred: 1, scheduled: 2 } as const;

/** The annotations a stored message goes out with. */
export function stampsOf(stored: Stored, lockedUntil?: number): Stamps {
  return {
    sequence: stored.sequence,
    firstSequence: stored.firstSequence,
    enqueuedAt: stored.enqueuedAt,
    state: STATE_CODES[stored.state],
    lockedUntil,
  };
}
