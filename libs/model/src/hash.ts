// Two independent 32-bit hashes of the same words.
export interface Hash {
  one: number;
  two: number;
}

/** Into `hash`, which is overwritten: one object less for each of millions of calls. */
export function hashOf(words: Int32Array | Uint8Array, seed: number, hash: Hash): Hash {
  let one = Math.imul(seed ^ 0x811c9dc5, 0x01000193);
  let two = Math.imul(seed + 0x2545f491, 0x5bd1e995);
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? 0;
    one = Math.imul(one ^ word, 0x9e3779b1);
    one ^= one >>> 15;
    two = Math.imul(two + word + 1, 0x5bd1e995);
    two ^= two >>> 13;
  }
  one = Math.imul(one ^ (one >>> 16), 0x7feb352d);
  hash.one = one ^ (one >>> 15);
  hash.two = Math.imul(two ^ (two >>> 16), 0x846ca68b);
  return hash;
}
