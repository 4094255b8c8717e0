import { describe, expect, it } from '@jest/globals';
import { Faults } from './faults.js';
import { parseFault } from './parse-fault.js';

const regenerate = { name: 'regenerateKey', target: 'a1' };

describe('a planted fault', () => {
  it('strikes as often as it says, and what it is for', () => {
    const faults = new Faults();
    faults.add({
      service: 'arm',
      operation: 'regeneratekey',
      target: 'A1',
      count: 2,
      effect: { kind: 'outage' },
    });
    expect(faults.take('arm', { ...regenerate, target: 'a2' })).toBeUndefined();
    expect(faults.take('arm', { ...regenerate, name: 'listKeys' })).toBeUndefined();
    expect(faults.take('key-vault', regenerate)).toBeUndefined();
    const struck = [1, 2, 3].map(() => faults.take('arm', regenerate)?.kind);
    expect(struck).toEqual(['outage', 'outage', undefined]);
    expect(faults.list()).toMatchObject([{ struck: 2 }]);
  });

  it('lets the first requests pass when told to', () => {
    const faults = new Faults();
    faults.add({ service: 'arm', skip: 1, effect: { kind: 'stale' } });
    expect([1, 2, 3].map(() => faults.take('arm', regenerate)?.kind)).toEqual([
      undefined,
      'stale',
      undefined,
    ]);
  });

  it('strikes until removed when unlimited', () => {
    const faults = new Faults();
    const id = faults.add({ service: 'ai', count: 'unlimited', effect: { kind: 'outage' } });
    for (let n = 0; n < 10; n += 1) expect(faults.take('ai', { name: 'call', target: '' })).toBeDefined();
    faults.remove(id);
    expect(faults.take('ai', { name: 'call', target: '' })).toBeUndefined();
  });

  it('gives way to an earlier one that is not spent', () => {
    const faults = new Faults();
    faults.add({ service: 'arm', effect: { kind: 'stale' } });
    faults.add({ service: 'arm', effect: { kind: 'outage' } });
    expect([1, 2, 3].map(() => faults.take('arm', regenerate)?.kind)).toEqual(['stale', 'outage', undefined]);
  });
});

describe('a fault that arrives as JSON', () => {
  it('is taken with the defaults of its effect', () => {
    expect(parseFault({ service: 'arm', effect: { kind: 'throttle' } })).toEqual({
      service: 'arm',
      effect: { kind: 'throttle', retryAfterSeconds: 1 },
    });
  });

  it.each([
    [{ service: 'blob', effect: { kind: 'outage' } }, /^service: one of/],
    [{ service: 'arm' }, /^effect:/],
    [{ service: 'arm', effect: { kind: 'fire' } }, /^effect.kind: one of/],
    [{ service: 'arm', count: -1, effect: { kind: 'outage' } }, /^count:/],
    [{ service: 'arm', effect: { kind: 'delay' } }, /^effect.ms:/],
    [{ service: 'arm', effect: { kind: 'status', status: 42 } }, /^effect.status:/],
  ])('is refused with the field and the rule: %j', (value, message) => {
    expect(parseFault(value)).toMatch(message);
  });
});
