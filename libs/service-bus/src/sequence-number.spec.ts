import { describe, expect, it } from '@jest/globals';
import { sequenceNumber } from './sequence-number.js';

describe('a sequence number', () => {
  it('keeps all of its 64 bits', () => {
    expect(sequenceNumber('9007199254740993').toBytesBE()).toEqual([0, 32, 0, 0, 0, 0, 0, 1]);
  });
});
