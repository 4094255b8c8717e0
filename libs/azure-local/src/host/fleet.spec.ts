import { describe, expect, it } from '@jest/globals';
import { parseFleet, sampleFleet } from './fleet.js';

describe('a fleet file', () => {
  it('may say everything about an account, or its name only', () => {
    const full = {
      name: 'a1',
      kind: 'OpenAI',
      sku: 'S0',
      location: 'l',
      resourceGroup: 'g',
      keyFormat: 'hex32',
      disableLocalAuth: true,
      tags: { a: 'b' },
    };
    expect(parseFleet({ accounts: [full, { name: 'a2' }] })).toEqual([full, { name: 'a2' }]);
  });

  it('reads back the sample', () => {
    expect(parseFleet({ accounts: sampleFleet })).toEqual(sampleFleet);
  });

  it.each([
    [[], /needs a list "accounts"/],
    [{ accounts: [{}] }, /^accounts\[0\]\.name: it is missing/],
    [{ accounts: [{ name: 'a b' }] }, /^accounts\[0\]\.name: "a b": 2 to 64/],
    [{ accounts: [{ name: 'subscriptions' }] }, /used by the emulator/],
    [{ accounts: [{ name: 'aa' }, { name: 'AA' }] }, /"aa" occurs twice/],
    [{ accounts: [{ name: 'aa', keyFormat: 'long' }] }, /^accounts\[0\]\.keyFormat: "hex32"/],
    [{ accounts: [{ name: 'aa', colour: 'red' }] }, /^accounts\[0\]\.colour: no such field/],
    [{ accounts: [{ name: 'aa', tags: { a: 1 } }] }, /^accounts\[0\]\.tags:/],
    [{ accounts: [{ name: 'aa', disableLocalAuth: 'yes' }] }, /^accounts\[0\]\.disableLocalAuth:/],
    [{ accounts: [{ name: 'aa', sku: 1 }] }, /^accounts\[0\]\.sku: a text/],
  ])('is refused with the field and the rule: %j', (value, message) => {
    expect(() => parseFleet(value)).toThrow(message);
  });
});
