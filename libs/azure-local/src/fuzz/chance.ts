/** Chance that can be had again: the same seed and input give the same choices. */
export interface Chance {
  /** A whole number from 0 to `below` - 1. */
  whole(below: number): number;
  /** Whether something of that probability happens. */
  happens(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(count: number): Buffer;
}

/** The choices of one input; inputs of one seed do not depend on one another, so each can be tried alone. */
export function chanceOf(seed: number, input: number): Chance {
  let state = (Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(input + 1, 0xc2b2_ae35)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const whole = (below: number) => Math.floor(next() * below);
  return {
    whole,
    happens: (probability) => next() < probability,
    pick: (from) => {
      const found = from[whole(from.length)];
      if (found === undefined) throw new Error('There is nothing to pick from.');
      return found;
    },
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => whole(256))),
  };
}
