import { createHash } from 'node:crypto';
import { type Keys, nameOf } from '../target.js';
import type { Mark } from './rollout.js';

const LONGEST = 63;

/**
 * What pods are marked with: one annotation per Secret, so that agents of several Secrets can share a workload, and a
 * value that says which keys. The same keys have the same value, so an agent that starts again goes on where things are;
 * the fingerprint tells keys apart that have the same generation of different installations.
 */
export function markOf(secret: string, keys: Keys): Mark {
  const value = keys
    .map(({ account, generation, fingerprint }) =>
      [
        `${nameOf(account)}=${generation}`,
        ...(fingerprint === undefined ? [] : [fingerprint.slice(0, 12)]),
      ].join('.'),
    )
    .join(' ');
  return { annotation: `twinkey/${short(secret)}`, value };
}

/** The name of a Secret may be four times as long as that of an annotation. */
function short(name: string): string {
  if (name.length <= LONGEST) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, LONGEST - 9)}-${digest}`;
}
