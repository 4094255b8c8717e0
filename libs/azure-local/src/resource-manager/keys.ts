import { createHash, randomInt, randomUUID, timingSafeEqual } from 'node:crypto';

/** `hex32`: the keys of before 2025. `chars84`: the ones since, which secret scanners recognise. */
export type KeyFormat = 'hex32' | 'chars84';

export type Slot = 'key1' | 'key2';

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Where keys and ids come from. A number below `below`, 0 included. */
export interface Chance {
  id(): string;
  below(below: number): number;
}

/** The machine's own: nobody can guess what comes out. */
export const machineChance: Chance = { id: randomUUID, below: (below) => randomInt(below) };

/** Fresh at run time, never written down in sources: the new shape trips secret scanners, as it should. */
export function newKey(format: KeyFormat, chance: Chance): string {
  const some = (count: number, letters: string = alphanumeric): string =>
    Array.from({ length: count }, () => letters.charAt(chance.below(letters.length))).join('');
  if (format === 'hex32') return some(32, '0123456789abcdef');
  const letters = alphanumeric.slice(0, 52);
  const parts = [
    some(52),
    'JQQJ9',
    some(1, '9DH'),
    some(1),
    some(1, 'ABCDEFGHIJKL'),
    some(16),
    some(1, letters),
    some(7),
  ];
  return parts.join('');
}

export function sameKey(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

/** Recognises a key of long ago without keeping it. */
export function traceOf(key: string): string {
  return digest(key).toString('hex').slice(0, 24);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
