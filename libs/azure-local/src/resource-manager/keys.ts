import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';

/** `hex32`: the keys of before 2025. `chars84`: the ones since, which secret scanners recognise. */
export type KeyFormat = 'hex32' | 'chars84';

export type Slot = 'key1' | 'key2';

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Fresh at run time, never written down in sources: the new shape trips secret scanners, as it should. */
export function newKey(format: KeyFormat): string {
  if (format === 'hex32') return randomBytes(16).toString('hex');
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

function some(count: number, letters: string = alphanumeric): string {
  return Array.from({ length: count }, () => letters.charAt(randomInt(letters.length))).join('');
}
