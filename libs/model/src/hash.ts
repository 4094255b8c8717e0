// Two independent 32-bit hashes of the same words.
/** Taken from the global object once: within a test's sandbox each look at it takes longer than the hashing. */
const { imul } = Math;

export interface Hash {
  one: number;
  two: number;
}

/** Into `hash`, which is overwritten: one object less for each of millions of calls. */
export function hashOf(words: Int32Array | Uint8Array, seed: number, hash: Hash): Hash {
  let one = imul(seed ^ 0x811c9dc5, 0x01000193);
  let two = imul(seed + 0x2545f491, 0x5bd1e995);
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? 0;
    one = imul(one ^ word, 0x9e3779b1);
    one ^= one >>> 15;
    two = imul(two + word + 1, 0x5bd1e995);
    two ^= two >>> 13;
  }
  one = imul(one ^ (one >>> 16), 0x7feb352d);
  hash.one = one ^ (one >>> 15);
  hash.two = imul(two ^ (two >>> 16), 0x846ca68b);
  return hash;
}
