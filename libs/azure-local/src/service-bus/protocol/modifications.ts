import { AmqpMap } from '../amqp/reader.js';
import type { Modifications } from '../state/stamps.js';

/** Changes of application properties, passed on in the encoding they came in. */
export function modifications(value: unknown): Modifications {
  return new Map(value instanceof AmqpMap ? value.encodedEntries() : []);
}
