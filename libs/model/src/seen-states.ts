// Which states were met. A state is kept as two 32-bit hashes of its bytes, not as itself: 12 bytes instead of a
// kilobyte. Two different states share both with a probability of about n² / 2^65: one in 1.5 million at five million
// states.
import { hashOf, type Hash } from './hash.js';

const { imul } = Math;

export class SeenStates {
  #mask: number;
  #slots: Int32Array;
  #one: Int32Array;
  #two: Int32Array;
  #size = 0;
  readonly #hash: Hash = { one: 0, two: 0 };

  constructor(bits = 18) {
    this.#mask = 2 ** bits - 1;
    this.#slots = new Int32Array(2 ** bits);
    this.#one = new Int32Array(2 ** (bits - 1));
    this.#two = new Int32Array(2 ** (bits - 1));
  }

  get size(): number {
    return this.#size;
  }

  /** The number of the state; `size` grows when it is new. */
  number(words: Int32Array): number {
    const { one, two } = hashOf(words, 0, this.#hash);
    let slot = (one ^ imul(two, 0x9e3779b1)) & this.#mask;
    for (;;) {
      const known = this.#slots[slot] ?? 0;
      if (known === 0) break;
      if (this.#one[known - 1] === one && this.#two[known - 1] === two) return known - 1;
      slot = (slot + 1) & this.#mask;
    }
    const number = this.#size;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    this.#one[number] = one;
    this.#two[number] = two;
    if (this.#size === this.#one.length) this.#grow();
    return number;
  }

  #grow(): void {
    const bits = Math.log2(this.#slots.length) + 1;
    this.#mask = 2 ** bits - 1;
    this.#slots = new Int32Array(2 ** bits);
    this.#one = longer(this.#one);
    this.#two = longer(this.#two);
    for (let number = 0; number < this.#size; number += 1) {
      let slot = ((this.#one[number] ?? 0) ^ imul(this.#two[number] ?? 0, 0x9e3779b1)) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = number + 1;
    }
  }
}

export function longer<Numbers extends Int32Array | Uint8Array>(numbers: Numbers): Numbers {
  const grown = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
  grown.set(numbers);
  return grown;
}
