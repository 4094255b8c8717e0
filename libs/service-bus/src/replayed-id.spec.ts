import { describe, expect, it } from '@jest/globals';
import { replayedId } from './replayed-id.js';

describe('the id of a replayed dead letter', () => {
  it('is new, and the same for the same dead letter', () => {
    expect(replayedId('r-1:due', '17')).toBe('r-1:due~17');
    expect(replayedId('r-1:due', '17')).toBe(replayedId('r-1:due', '17'));
  });

  it('does not grow with every replay', () => {
    expect(replayedId('r-1:due~17', '23')).toBe('r-1:due~23');
  });

  it('stays within what the broker takes', () => {
    expect(replayedId('x'.repeat(128), '9007199254740993')).toHaveLength(128);
  });
});
