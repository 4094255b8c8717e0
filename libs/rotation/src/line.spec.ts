import { describe, expect, it } from '@jest/globals';
import { RotationId } from '@twinkey/contracts';
import type { KeyRing, OpenRotation, WaitingRotation } from './key-ring.js';
import { atWork, goesFirst, lineUp, nextInLine } from './line.js';
import { base, keyA, keyB, keyC } from './testing/told-ring.js';

const NOTHING = { key1: null, key2: null };
const stopped = { reason: 'operator', detail: 'x', remedy: 'x' } as const;

function rotation(name: string, what: Partial<OpenRotation> = {}): OpenRotation {
  if (base.rotation === null) throw new Error('a rotation is open in this ring');
  return { ...base.rotation, rotationId: idOf(name), startedFrom: null, ...what };
}
const emergency = (name: string, what: Partial<OpenRotation> = {}) =>
  rotation(name, { scope: 'emergency', leaked: 'key1', ...what });
const waiting = (one: OpenRotation, retire: WaitingRotation['retire'] = NOTHING): WaitingRotation => ({
  rotation: one,
  retire,
});
const idOf = (name: string) => RotationId.parse(`r-${name.padStart(12, '0')}`);

/** Somebody at work, and others in line. */
const ringOf = (one: OpenRotation | null, ...inLine: readonly WaitingRotation[]): KeyRing => ({
  ...base,
  rotation: one,
  inLine,
});
const inLine = (ring: KeyRing) => ring.inLine.map((one) => one.rotation.rotationId);
const working = (ring: KeyRing) => ring.rotation?.rotationId;

describe('a rotation that is requested', () => {
  it('begins at once when nobody is at work, with nothing to retire yet and everything to be looked at', () => {
    const ring = lineUp(ringOf(null), rotation('a'));
    expect(working(ring)).toBe(idOf('a'));
    expect(ring).toMatchObject({
      slots: { key1: { retire: null }, key2: { retire: null } },
      keysFrom: base.revision + 1,
      vaultFrom: base.revision + 1,
      waiting: null,
    });
  });

  it('for a leaked key goes first, and the other steps back with all that it has still to retire', () => {
    const ring = lineUp(ringOf(rotation('a')), emergency('e'));
    expect(working(ring)).toBe(idOf('e'));
    expect(ring.inLine).toEqual([
      waiting(rotation('a'), { key1: base.slots.key1.retire, key2: base.slots.key2.retire }),
    ]);
    expect(ring.inLine[0]?.retire).toMatchObject({
      key1: { fingerprint: keyA },
      key2: { fingerprint: keyB },
    });
  });

  it('for a leaked key waits behind other emergencies, and before everybody else', () => {
    const halted = rotation('a', { halted: stopped });
    const ring = lineUp(ringOf(emergency('e'), waiting(emergency('f')), waiting(halted)), emergency('d'));
    expect(working(ring)).toBe(idOf('e'));
    expect(inLine(ring)).toEqual(['f', 'd', 'a'].map(idOf));
  });
});

describe('who goes first', () => {
  it('is an emergency, unless another one is running', () => {
    expect(goesFirst(ringOf(rotation('a')), emergency('e'))).toBe(true);
    expect(goesFirst(ringOf(null), emergency('e'))).toBe(true);
    expect(goesFirst(ringOf(emergency('f')), emergency('e'))).toBe(false);
    expect(goesFirst(ringOf(emergency('f', { halted: stopped })), emergency('e'))).toBe(true);
  });

  it('is never a rotation that nothing presses', () => {
    expect(goesFirst(ringOf(rotation('a', { halted: stopped })), rotation('b'))).toBe(false);
  });
});

describe('after a rotation that is completed', () => {
  it('the next emergency begins, whoever came before it, and nobody else loses the place', () => {
    const ring = nextInLine(
      ringOf(null, waiting(rotation('a')), waiting(emergency('e')), waiting(rotation('b'))),
    );
    expect(working(ring)).toBe(idOf('e'));
    expect(inLine(ring)).toEqual(['a', 'b'].map(idOf));
  });

  it('a halted emergency lets those go on that nobody halted', () => {
    const halted = waiting(emergency('e', { halted: stopped }));
    const ring = nextInLine(ringOf(null, halted, waiting(rotation('a'))));
    expect(working(ring)).toBe(idOf('a'));
    expect(inLine(ring)).toEqual([idOf('e')]);
  });

  it('the first of those that are halted is back in its place when nobody else is there', () => {
    const [one, other] = ['a', 'b'].map((name) => waiting(rotation(name, { halted: stopped })));
    if (one === undefined || other === undefined) throw new Error('there are two');
    expect(working(nextInLine(ringOf(null, one, other)))).toBe(idOf('a'));
  });

  it('nothing changes when nobody is in line', () => {
    const ring = ringOf(null);
    expect(nextInLine(ring)).toBe(ring);
  });

  it('the next one goes on with what it had still to retire', () => {
    const retire = { key1: null, key2: { fingerprint: keyC, rotationId: idOf('a') } };
    const { slots } = nextInLine(ringOf(null, waiting(rotation('a'), retire)));
    expect([slots.key1.retire, slots.key2.retire]).toEqual([null, retire.key2]);
  });
});

describe('after a rotation that is halted', () => {
  const halted = rotation('a', { halted: stopped });

  it('an emergency begins that waits, and the halted one steps back', () => {
    const ring = nextInLine(ringOf(halted, waiting(rotation('b')), waiting(emergency('e'))));
    expect(working(ring)).toBe(idOf('e'));
    expect(inLine(ring)).toEqual(['a', 'b'].map(idOf));
  });

  it('nobody else begins: a person finds things as they were', () => {
    const ring = ringOf(halted, waiting(rotation('b')), waiting(emergency('e', { halted: stopped })));
    expect(nextInLine(ring)).toBe(ring);
  });
});

describe('a rotation at work', () => {
  it('is not interrupted by whoever waits in line', () => {
    const ring = ringOf(rotation('a'), waiting(emergency('e')));
    expect(nextInLine(ring)).toBe(ring);
  });
});

describe('a rotation as if it were its turn', () => {
  const ring = ringOf(rotation('a'), waiting(rotation('b')), waiting(rotation('c', { halted: stopped })));

  it('is at work, and the others are in line', () => {
    const turned = atWork(ring, idOf('c'));
    expect(working(turned)).toBe(idOf('c'));
    expect(inLine(turned)).toEqual(['a', 'b'].map(idOf));
  });

  it('is where it was when it is at work already', () => {
    expect(atWork(ring, idOf('a'))).toBe(ring);
  });

  it('steps before the others also when nobody is at work', () => {
    expect(inLine(atWork({ ...ring, rotation: null }, idOf('b')))).toEqual([idOf('c')]);
  });
});
