// The one thing that stands between a key in use and its end.
import { describe, expect, it } from '@jest/globals';
import { ConsumerName } from '@twinkey/contracts';
import type { RingEvent } from './events.js';
import { evolve } from './evolve.js';
import { gate, type Gate } from './gate.js';
import { emptyRing, type KeyRing } from './key-ring.js';
import { account, requested, rotationId } from './testing/small-world.js';

const NOW = 2_000_000;
const LATER = NOW + 5_000;
const billing = ConsumerName.parse('billing');

const asked = {
  type: 'SwitchAsked',
  at: NOW,
  generation: 1,
  request: 1,
  rotationId,
  deadlineAt: LATER,
  waived: [],
} as const;
const confirmed = {
  type: 'SwitchConfirmed',
  at: NOW,
  generation: 1,
  request: 1,
  openFrom: LATER,
  instances: 2,
} as const;

function when(...events: readonly RingEvent[]): KeyRing {
  return events.reduce(evolve, requested());
}
const is = (ring: KeyRing, now = NOW): Gate['is'] => gate(ring, 'key1', now).is;

describe('the gate before the slot that everyone uses', () => {
  it('is no gate: whoever asks for it is wrong', () => {
    expect(() => gate(requested(), 'key2', NOW)).toThrow('the published slot key2');
  });

  it('is no gate either while nothing is published', () => {
    for (const slot of ['key1', 'key2'] as const)
      expect(() => gate(emptyRing(account), slot, NOW)).toThrow('the published slot');
  });
});

describe('the gate before the other slot', () => {
  it('is opened by everyone’s acknowledgement, at the very moment at which the last call is over', () => {
    const ring = when(asked, confirmed);
    expect(gate(ring, 'key1', LATER - 1)).toMatchObject({
      is: 'waiting',
      what: { for: 'drain', until: LATER },
    });
    expect(is(ring, LATER)).toBe('open');
  });

  it('waits until the deadline for whoever was asked', () => {
    expect(gate(when(asked), 'key1', NOW)).toMatchObject({
      is: 'waiting',
      what: { for: 'acknowledgements', until: LATER },
    });
  });

  it('names whoever missed the deadline, and when the others are done, if that was said', () => {
    const overdue = {
      type: 'SwitchOverdue',
      at: NOW,
      generation: 1,
      request: 1,
      missing: ['billing'],
    } as const;
    expect(gate(when(asked, overdue), 'key1', NOW)).toStrictEqual({ is: 'overdue', missing: ['billing'] });
    expect(gate(when(asked, { ...overdue, openFrom: LATER }), 'key1', NOW)).toStrictEqual({
      is: 'overdue',
      missing: ['billing'],
      openFrom: LATER,
    });
  });

  it('stays shut for every instance to register anew after a restore, and no moment longer', () => {
    const restored: KeyRing = { ...when(asked, { ...confirmed, openFrom: NOW }), registryFrom: LATER };
    expect(gate(restored, 'key1', LATER - 1)).toMatchObject({
      is: 'waiting',
      what: { for: 'drain', until: LATER },
    });
    expect(is(restored, LATER)).toBe('open');
  });
});

describe('a question that was put', () => {
  it('counts for nothing when nobody was asked at all', () => {
    expect(is({ ...requested(), asked: null })).toBe('not-asked');
  });

  it('counts for its generation only', () => {
    expect(is(when({ ...asked, generation: 2 }))).toBe('not-asked');
  });

  it('counts for its rotation only', () => {
    expect(is(when({ ...asked, rotationId: null }))).toBe('not-asked');
  });

  it('counts without a rotation when it was put without one', () => {
    const ring: KeyRing = {
      ...when({ ...asked, rotationId: null }),
      rotation: null,
      evidence: null,
    };
    expect(is(ring)).toBe('waiting');
  });

  it('is put again for whoever was excused since, and not for those excused before', () => {
    const waived = { type: 'ConsumerWaived', at: NOW, consumer: billing, by: 'ana', reason: 'gone' } as const;
    expect(is(when(asked, waived))).toBe('not-asked');
    expect(is(when(waived, { ...asked, waived: [billing] }))).toBe('waiting');
  });
});
