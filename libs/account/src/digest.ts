// A digest that is the same in every process and release. It spreads and names; it protects nothing.
import { RotationId, type AccountId } from '@twinkey/contracts';

const { imul } = Math; // looked up once: it is the whole inner loop

/**
 * 48 well mixed bits. Two 32-bit lanes with different multipliers read the text, then stir each other, since a
 * core has no node:crypto and 64-bit FNV in BigInt costs about ten times as much per account.
 */
function lanes(text: string): readonly [high: number, low: number] {
  let a = 0x2545f491;
  let b = 0x9e3779b9;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    a = imul(a ^ unit, 0x01000193);
    b = imul(b ^ unit, 0x5bd1e995);
  }
  a = imul(a ^ (a >>> 16) ^ (b >>> 13), 0x85ebca6b);
  b = imul(b ^ (b >>> 15) ^ (a >>> 14), 0xc2b2ae35);
  return [(a ^ (b >>> 16)) >>> 0, ((b ^ (a >>> 13)) & 0xffff) >>> 0];
}

/** 12 hex digits of a text. */
export function digest12(text: string): string {
  const [high, low] = lanes(text);
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(4, '0');
}

/** Where in 0 ≤ x < 1 an account always falls: the fleet spread evenly over a stretch of time. */
export function placeOf(account: AccountId): number {
  return lanes(account)[0] / 0x1_0000_0000;
}

/** The rotation that an account owes at a due time has one id, whichever scheduler says it and how often. */
export function rotationIdOf(account: AccountId, dueAt: number): RotationId {
  return RotationId.parse(`r-${digest12(`${account} ${dueAt}`)}`);
}
