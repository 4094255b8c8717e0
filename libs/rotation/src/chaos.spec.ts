// Random worlds beside the searched ones of `libs/model`: longer lives, real numbers of milliseconds, more rotations.
import { describe, expect, it } from '@jest/globals';
import { live } from './testing/troubled-world.js';

describe('a world in which everything goes wrong', () => {
  it.each(Array.from({ length: 200 }, (_, seed) => seed))(
    'seed %i: three rotations complete, nobody is interrupted, every key asked for is dead',
    (seed) => {
      expect(() => {
        live(seed, 'narrow');
      }).not.toThrow();
    },
  );
});
