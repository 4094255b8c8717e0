import { describe, expect, it } from '@jest/globals';
import { AllFaults } from './fault-control.js';
import { Faults } from './faults.js';

const regenerate = { name: 'regenerateKey', target: 'a1' };
const list = { name: 'listKeys', target: 'a1' };

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
    expect(faults.take('arm', list)).toBeUndefined();
    expect(faults.take('key-vault', regenerate)).toBeUndefined();
    const struck = [1, 2, 3].map(() => faults.take('arm', regenerate)?.kind);
    expect(struck).toEqual(['outage', 'outage', undefined]);
    expect(faults.list()).toMatchObject([{ struck: 2, spent: true }]);
  });

  it('lets the first requests pass when told to', () => {
    const faults = new Faults();
    faults.add({ service: 'arm', skip: 1, effect: { kind: 'outage' } });
    expect([1, 2, 3].map(() => faults.take('arm', regenerate)?.kind)).toEqual([
      undefined,
      'outage',
      undefined,
    ]);
  });

  it('strikes until removed when unlimited', () => {
    const faults = new Faults();
    const id = faults.add({ service: 'ai', count: 'unlimited', effect: { kind: 'outage' } });
    for (let n = 0; n < 10; n += 1) expect(faults.take('ai', { name: 'call', target: '' })).toBeDefined();
    expect(faults.list()).toMatchObject([{ struck: 10, spent: false }]);
    expect([faults.remove(id), faults.remove(id)]).toEqual([1, 0]);
    expect(faults.take('ai', { name: 'call', target: '' })).toBeUndefined();
  });

  it('gives way to an earlier one that is not spent', () => {
    const faults = new Faults();
    faults.add({ service: 'arm', effect: { kind: 'throttle' } });
    faults.add({ service: 'arm', effect: { kind: 'outage' } });
    expect([1, 2, 3].map(() => faults.take('arm', regenerate)?.kind)).toEqual([
      'throttle',
      'outage',
      undefined,
    ]);
  });

  it('waits for an operation that can show it when none is named', () => {
    const faults = new Faults();
    faults.add({ service: 'arm', effect: { kind: 'stale' } });
    faults.add({ service: 'arm', effect: { kind: 'lag', oldKeyForMs: 5 } });
    expect(faults.take('arm', { name: 'getSubscription', target: '' })).toBeUndefined();
    expect([regenerate, list].map((one) => faults.take('arm', one)?.kind)).toEqual(['lag', 'stale']);
  });
});

describe('an emulator that is troubled for days', () => {
  it('looks at no spent fault again, and remembers the last thousand', () => {
    const faults = new Faults();
    const call = { name: 'call', target: 'a1' };
    for (let n = 0; n < 5_000; n += 1) {
      faults.add({ service: 'ai', effect: { kind: 'outage' } });
      expect(faults.take('ai', call)?.kind).toBe('outage');
    }
    expect(faults.take('ai', call)).toBeUndefined();
    expect(faults.list()).toHaveLength(1_000);
    expect(faults.list().at(-1)).toMatchObject({ id: '5000', spent: true });
  });
});

describe('the request that opens a conversation', () => {
  const knocks = { name: 'setSecret', target: 's1' };
  it.each([
    ['outage', { service: 'key-vault', effect: { kind: 'outage' } }, true],
    [
      'a status for good',
      { service: 'key-vault', count: 'unlimited', effect: { kind: 'status', status: 503 } },
      true,
    ],
    ['a status for once', { service: 'key-vault', effect: { kind: 'status', status: 503 } }, false],
    ['throttling', { service: 'key-vault', count: 'unlimited', effect: { kind: 'throttle' } }, false],
    ['claims', { service: 'key-vault', effect: { kind: 'claims-challenge' } }, false],
  ] as const)('meets what a service that is down would do to it: %s', (_name, fault, struck) => {
    const faults = new Faults();
    faults.add(fault);
    expect(faults.take('key-vault', knocks, 'overture') !== undefined).toBe(struck);
    expect(faults.list()).toMatchObject([{ struck: struck ? 1 : 0 }]);
  });
});

describe('a fault that arrives as JSON', () => {
  it('is taken with the defaults of its effect, its operation as the service spells it', () => {
    const faults = new AllFaults();
    faults.plant({ service: 'arm', operation: 'LISTKEYS', effect: { kind: 'throttle' } });
    expect(faults.list()).toEqual([
      {
        id: '1',
        service: 'arm',
        operation: 'listKeys',
        effect: { kind: 'throttle', retryAfterSeconds: 1 },
        struck: 0,
        spent: false,
      },
    ]);
  });

  it.each([
    ['outage', /^A JSON object was expected/],
    [{ service: 'blob', effect: { kind: 'outage' } }, /^service: one of entra, arm/],
    [{ service: 'arm' }, /^effect:/],
    [{ service: 'arm', effect: { kind: 'fire' } }, /^effect.kind: one of/],
    [{ service: 'arm', count: -1, effect: { kind: 'outage' } }, /^count: 1 or more/],
    [{ service: 'arm', count: 0, effect: { kind: 'outage' } }, /^count: 1 or more/],
    [{ service: 'arm', skip: 1.5, effect: { kind: 'outage' } }, /^skip:/],
    [{ service: 'arm', times: 2, effect: { kind: 'outage' } }, /^times: no such field/],
    [
      { service: 'arm', operation: 'regenrateKey', effect: { kind: 'outage' } },
      /^operation: one of .*regenerateKey/,
    ],
    [
      { service: 'key-vault', operation: 'listKeys', effect: { kind: 'outage' } },
      /^operation: one of .*setSecret/,
    ],
    [{ service: 'arm', effect: { kind: 'delay' } }, /^effect.ms:/],
    [{ service: 'arm', effect: { kind: 'delay', ms: 1, when: 'later' } }, /^effect.when:/],
    [{ service: 'arm', effect: { kind: 'status', status: 42 } }, /^effect.status:/],
    [
      { service: 'arm', effect: { kind: 'throttle', retryAfter: 2 } },
      /^effect.retryAfter: no such field; throttle has/,
    ],
    [
      { service: 'ai', effect: { kind: 'claims-challenge' } },
      /^effect.kind: claims-challenge is for arm and key-vault/,
    ],
    [{ service: 'ai', effect: { kind: 'stale' } }, /^effect.kind: stale is for/],
    [
      { service: 'key-vault', operation: 'setSecret', effect: { kind: 'stale' } },
      /^effect.kind: stale can be seen on .*getSecret.* only, not on setSecret/,
    ],
    [
      { service: 'arm', operation: 'listKeys', effect: { kind: 'lag', oldKeyForMs: 1 } },
      /^effect.kind: lag can be seen on regenerateKey only/,
    ],
  ])('is refused with the field and the rule: %j', (value, message) => {
    expect(() => new AllFaults().plant(value)).toThrow(message);
  });
});
