// What a replay is foreseen to do and whom it could interrupt, from one ring after the other.
import { describe, expect, it } from '@jest/globals';
import { RotationId } from '@twinkey/contracts';
import { foresee } from './foresee.js';
import type { KeyRing, SlotRecord } from './key-ring.js';
import { rotationId, terms } from './testing/small-world.js';
import { base, keyA, keyB, NOW } from './testing/told-ring.js';

const says = (words: string): unknown => expect.stringContaining(words);
const settled = { regenerations: [], publications: [], answered: null };

/** key2 is in use, both keys are to be retired, and no call is in doubt. */
const ring: KeyRing = {
  ...base,
  slots: { key1: { ...base.slots.key1, ...settled }, key2: { ...base.slots.key2, ...settled } },
  asked: null,
  evidence: null,
};
const slot = (name: 'key1' | 'key2', what: Partial<SlotRecord>, of = ring): KeyRing => ({
  ...of,
  slots: { ...of.slots, [name]: { ...of.slots[name], ...what } },
});
const seen = (one: KeyRing, onOverdue: 'hold' | 'force' = 'hold') =>
  foresee(one, rotationId, { ...terms, onOverdue });

describe('a replay', () => {
  it('of a rotation that nobody knows is not foreseen', () => {
    expect(foresee(ring, RotationId.parse('r-00000000000f'), terms)).toBeNull();
  });

  it('notes first what is to be retired, when nothing is published or nothing noted', () => {
    const next = says('lists the keys');
    expect(seen({ ...ring, published: null })).toMatchObject({ next });
    expect(
      seen({ ...ring, rotation: ring.rotation && { ...ring.rotation, startedFrom: null } }),
    ).toMatchObject({ next });
  });

  it.each(['key1', 'key2'] as const)('waits for a call of %s that is in doubt, of either kind', (name) => {
    const doubt = [{ number: 1, notAfter: NOW }];
    for (const what of [{ regenerations: doubt }, { publications: doubt }])
      expect(seen(slot(name, what))).toMatchObject({
        next: says('call in doubt'),
        safe: true,
        because: says('never repeated blindly'),
      });
  });

  it('proves that a key is dead whose slot answered with another one, and does not regenerate it again', () => {
    expect(seen(slot('key1', { answered: { fingerprint: keyB, at: NOW } }))).toMatchObject({
      next: says('proves that the old key1 is refused'),
      because: says('not regenerated again'),
    });
  });

  it('regenerates a key that an earlier rotation made: that answer is the key to be retired', () => {
    expect(seen(slot('key1', { answered: { fingerprint: keyA, at: NOW } }))).toMatchObject({
      next: says('regenerates key1 when all have acknowledged'),
      safe: true,
      because: says('before everyone has acknowledged'),
    });
  });

  it('completes when nothing is left to retire', () => {
    expect(seen(slot('key1', { retire: null }, slot('key2', { retire: null })))).toMatchObject({
      step: null,
      next: says('completes'),
    });
  });
});

describe('whom a replay could interrupt', () => {
  const question = { generation: 1, request: 4, rotationId, deadlineAt: NOW, waived: [] } as const;
  const overdue = (generation: number): KeyRing => ({
    ...ring,
    asked: { ...question, generation, overdue: { at: NOW, missing: ['billing'] } },
  });

  it('are the silent ones, once the policy went on without them', () => {
    const evidence = { generation: 1, rotationId, openFrom: 0, kind: 'forced' } as const;
    expect(seen({ ...ring, evidence })).toMatchObject({ safe: false, because: says('silent ones') });
    expect(seen({ ...ring, evidence: { ...evidence, kind: 'acknowledged' } })).toMatchObject({ safe: true });
    expect(seen({ ...ring, evidence: { ...evidence, generation: 0 } })).toMatchObject({ safe: true });
  });

  it('are those who missed a deadline, where the policy goes on without them', () => {
    expect(seen(overdue(1), 'force')).toMatchObject({ safe: false, because: says('billing is cut off') });
    expect(seen(overdue(1), 'hold')).toMatchObject({ safe: true });
  });

  it('is nobody, where they missed the deadline of an older generation only', () => {
    expect(seen(overdue(0), 'force')).toMatchObject({ safe: true });
  });

  it('is nobody, where nobody missed a deadline yet', () => {
    expect(seen(ring, 'force')).toMatchObject({ safe: true });
    expect(seen({ ...ring, asked: { ...question, overdue: null } }, 'force')).toMatchObject({ safe: true });
  });
});
