import { describe, expect, it } from '@jest/globals';
import { machineChance, newKey, sameKey } from './keys.js';

describe('a new key', () => {
  it('has the shape that Azure gives keys now, or gave them before', () => {
    const now = /^[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9][A-L][A-Za-z0-9]{16}[A-Za-z][A-Za-z0-9]{7}$/;
    for (let n = 0; n < 200; n += 1) expect(newKey('chars84', machineChance)).toMatch(now);
    expect(newKey('chars84', machineChance)).toHaveLength(84);
    expect(newKey('hex32', machineChance)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is like no other', () => {
    expect(sameKey(newKey('chars84', machineChance), newKey('chars84', machineChance))).toBe(false);
  });
});
