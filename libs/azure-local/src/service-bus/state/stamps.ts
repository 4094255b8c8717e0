import { bytesOf, int, long, string, timestamp, type Put } from '../amqp/put.js';
import type { Stored } from './stored.js';

/** Changes of application properties, each value in its encoding. */
export type Modifications = ReadonlyMap<string, Buffer>;

export function deadLetterProperties(reason: string, description: string): Modifications {
  return new Map([
    ['DeadLetterReason', bytesOf(string(reason))],
    ['DeadLetterErrorDescription', bytesOf(string(description))],
  ]);
}

const STATE_CODES = { active: 0, deferred: 1, scheduled: 2 } as const;

/** The annotations a stored message goes out with. */
export function stampsOf(stored: Stored, lockedUntil?: number): Record<string, Put> {
  return {
    'x-opt-sequence-number': long(stored.sequence),
    'x-opt-enqueue-sequence-number': long(stored.firstSequence),
    'x-opt-enqueued-time': timestamp(stored.enqueuedAt),
    'x-opt-message-state': int(STATE_CODES[stored.state]),
    ...(lockedUntil !== undefined && { 'x-opt-locked-until': timestamp(lockedUntil) }),
  };
}
