// What people, strangers and rotations change of a ring, and that they change nothing else.
import { describe, expect, it } from '@jest/globals';
import { ConsumerName, RotationId } from '@twinkey/contracts';
import type { RingEvent } from './events.js';
import { evolve } from './evolve.js';
import type { KeyRing } from './key-ring.js';
import { base, changed, fold, keyA, keyB, keyC, next, NOW } from './testing/told-ring.js';
import { published, rotationId } from './testing/small-world.js';

const other = RotationId.parse('r-00000000000b');
const words = { detail: 'x', remedy: 'y' };

describe('a change by hand', () => {
  const evidence = { generation: 1, rotationId, openFrom: 0, kind: 'acknowledged' } as const;
  const overdue = { at: 1, missing: [] };
  const told: KeyRing = {
    ...base,
    evidence,
    asked: { generation: 1, request: 4, rotationId, deadlineAt: 1, waived: [], overdue },
  };

  it('that is found makes every acknowledgement void, and the question is put again', () => {
    expect(fold(told, { type: 'DriftFound', kind: 'vault-changed', detail: 'somebody' })).toMatchObject({
      drift: 'somebody',
      evidence: null,
      asked: { generation: 1, request: 4, rotationId: null, overdue: null },
    });
  });

  it('that went away by itself is forgotten', () => {
    expect(changed({ type: 'DriftGone' })).toEqual({ drift: null });
  });

  it('of which there is a sign makes everything be looked at anew, until that is done', () => {
    const wanted = { type: 'LookWanted', why: 'another event' } as const;
    expect(changed(wanted)).toEqual({ lookWanted: 'another event', keysFrom: next, vaultFrom: next });
    expect(changed({ type: 'LookDone' })).toEqual({ lookWanted: null });
  });

  it('that gave a slot another key is known from the moment it was seen, for that slot only', () => {
    const expected = {
      known: { ...base.known, key1: keyC },
      knownAt: { ...base.knownAt, key1: NOW },
    };
    expect(changed({ type: 'KeysNoted', keys: { key1: keyC } })).toEqual(expected);
    expect(changed({ type: 'KeyAdopted', slot: 'key1', fingerprint: keyC })).toEqual(expected);
  });

  it('that shows as an instance ahead takes the number away, and voids the evidence', () => {
    const ahead = { type: 'AcknowledgementAhead', generation: 9, who: 'b' } as const;
    expect(changed(ahead, told)).toEqual({
      ahead: 9,
      highestGeneration: 9,
      evidence: null,
      keysFrom: next,
      vaultFrom: next,
    });
    expect(fold(fold(told, ahead), { ...ahead, generation: 5 })).toMatchObject({
      ahead: 9,
      highestGeneration: 9,
    });
  });
});

describe('a rotation', () => {
  it('retires what its slots held, and only the slots that are named', () => {
    const clean = published();
    clean.request();
    const retire = {
      type: 'RetirementsRecorded',
      rotationId,
      retire: { key2: keyC },
      startedFrom: 'key2',
    } as const;
    expect(fold(clean.ring, retire)).toMatchObject({
      rotation: { startedFrom: 'key2', stepSince: NOW },
      waiting: null,
      slots: { key1: { retire: null }, key2: { retire: { fingerprint: keyC, rotationId } } },
    });
  });

  it('counts a key that is gone, and forgets that it was to be retired', () => {
    const retired = { type: 'KeyRetired', slot: 'key1', rotationId, proof: 'listed' } as const;
    const ring = fold(base, { ...retired, fingerprint: keyA });
    expect(ring).toMatchObject({ rotation: { keysReplaced: 1 }, waiting: null });
    expect(ring.slots.key1.retire).toBeNull();
    expect(changed({ ...retired, fingerprint: keyB })).toEqual({});
    expect(changed({ ...retired, fingerprint: keyA }, ring)).toEqual({});
  });

  it('is in a step since the event that brought it there, whatever happens in that step', () => {
    const earlier = { ...base, rotation: base.rotation && { ...base.rotation, stepSince: 1 } };
    expect(fold(earlier, { type: 'LookDone' }).rotation?.stepSince).toBe(1);
    const retired = { type: 'KeyRetired', slot: 'key1', fingerprint: keyA, rotationId } as const;
    expect(fold(earlier, { ...retired, proof: 'listed' }).rotation?.stepSince).toBe(NOW);
  });

  it('is halted with its reason, and goes on with everything looked at and a new deadline', () => {
    const halted = fold(base, { type: 'RotationHalted', reason: 'operator', ...words });
    expect(halted.rotation?.halted).toEqual({ reason: 'operator', ...words });
    expect(halted.waiting).toBeNull();
    const question = { generation: 1, request: 4, rotationId, deadlineAt: 1, waived: [] } as const;
    const replayed = fold(
      halted,
      { type: 'SwitchAsked', ...question },
      { type: 'RotationReplayed', by: 'ana' },
    );
    expect(replayed).toMatchObject({
      rotation: { halted: null },
      asked: { rotationId: null },
      keysFrom: replayed.revision,
      vaultFrom: replayed.revision,
    });
  });

  it('that was halted after everyone answered asks nobody again', () => {
    const question = { generation: 1, request: 4, rotationId, deadlineAt: 1, waived: [] } as const;
    const confirmed = {
      type: 'SwitchConfirmed',
      generation: 1,
      request: 4,
      openFrom: 7,
      instances: 2,
    } as const;
    const ring = fold(base, { type: 'SwitchAsked', ...question }, confirmed, {
      type: 'RotationReplayed',
      by: 'ana',
    });
    expect(ring.asked?.rotationId).toBe(rotationId);
  });

  it('has a consumer excused once, however often that is said, and no other rotation has', () => {
    const consumer = ConsumerName.parse('billing');
    const waive = { type: 'ConsumerWaived', consumer, by: 'ana', reason: 'gone' } as const;
    expect(fold(base, waive, waive).rotation?.waived).toEqual([consumer]);
    expect(changed({ ...waive, rotationId: other })).toEqual({});
  });

  it('that is over is remembered, the newest first and not for ever', () => {
    const ids = Array.from({ length: 25 }, (_, n) =>
      RotationId.parse(`r-${n.toString(16).padStart(12, '0')}`),
    );
    const ring = fold(base, ...ids.map((id) => ({ type: 'RotationCompleted', rotationId: id }) as const));
    expect(ring.finished).toEqual([...ids].reverse().slice(0, 20));
    expect(ring).toMatchObject({ rotation: null, waiting: null });
  });

  it('that is over leaves nobody at work, in whichever step it was', () => {
    expect(fold(base, { type: 'RotationCompleted', rotationId }).rotation).toBeNull();
  });

  it('is told once what it waits for', () => {
    const what = { for: 'outage', code: 'away', detail: 'x' } as const;
    expect(changed({ type: 'WaitingFor', what: { ...what, code: 'gone' } })).toEqual({
      waiting: 'outage: gone',
    });
    expect(changed({ type: 'CareHindered', reason: 'operator', ...words })).toEqual({
      waiting: 'hindered: operator',
    });
  });

  it('is not touched by a command that was refused', () => {
    expect(changed({ type: 'CommandRefused', command: 'halt', rotationId, code: 'x', detail: 'x' })).toEqual(
      {},
    );
  });
});

describe('an event that nobody knows', () => {
  it('is an error, since a ring that skips one is not the ring any more', () => {
    expect(() => evolve(base, { type: 'Later', at: NOW } as unknown as RingEvent)).toThrow('"Later"');
  });
});
