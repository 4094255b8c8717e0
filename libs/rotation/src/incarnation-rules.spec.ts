// What a ring makes of its own past after a restore, field by field.
import { describe, expect, it } from '@jest/globals';
import { evolve } from './evolve.js';
import { adoptRestored, newIncarnation, noticeRestore } from './incarnation.js';
import type { SeenVault } from './observed.js';
import { terms } from './testing/small-world.js';
import { base, keyA, keyB, keyC, NOW } from './testing/told-ring.js';

const known = { key1: keyA, key2: keyB };
const ours = (generation: number, fingerprint = keyA): SeenVault['current'] => ({
  is: 'ours',
  slot: 'key1',
  fingerprint,
  generation,
  version: 'v',
});
const untagged = { is: 'untagged', fingerprint: keyA, version: 'x' } as const;
const missing = { is: 'missing' } as const;
// base.highestGeneration is 2: it was intended, and is not published.

describe('a vault that shows more than the ring knows', () => {
  it('says that the ring is from before it', () => {
    expect(noticeRestore(base, ours(3), terms, NOW)).toMatchObject({
      do: 'record',
      event: { type: 'IncarnationBegan', at: NOW, incarnation: base.incarnation, generation: 3 },
    });
  });

  it('says nothing with a generation that was intended, or with what somebody else wrote', () => {
    for (const current of [ours(2), ours(1), untagged, missing])
      expect(noticeRestore(base, current, terms, NOW)).toBeNull();
  });
});

describe('a new life', () => {
  const what = { incarnation: 7, cause: 'restored' };

  it('doubts every call up to now, and the registry for as long as it needs', () => {
    const began = { type: 'IncarnationBegan', at: NOW, ...what, notAfter: NOW + terms.callDeadlineMs };
    expect(newIncarnation(base, what, terms, NOW)).toEqual({
      ...began,
      registryFrom: NOW + terms.quiescenceMs,
      generation: 2,
    });
    expect(newIncarnation(base, what, { ...terms, registryRebuildMs: 9 }, NOW, 5)).toEqual({
      ...began,
      registryFrom: NOW + 9,
      generation: 5,
    });
  });

  it('takes nothing from the one before for granted, and repeats none of its numbers', () => {
    const asked = {
      generation: 1,
      request: 4,
      rotationId: null,
      deadlineAt: 1,
      waived: [],
      overdue: { at: 1, missing: [] },
    };
    const ring = evolve({ ...base, asked }, newIncarnation(base, what, terms, NOW, 5));
    const notAfter = NOW + terms.callDeadlineMs;
    const doubted = [ring.slots.key1.regenerations, ring.slots.key1.publications].concat([
      ring.slots.key2.regenerations,
      ring.slots.key2.publications,
    ]);
    const anew = doubted.map((attempts) => attempts.at(-1));
    expect(anew.map((attempt) => attempt?.notAfter)).toEqual([notAfter, notAfter, notAfter, notAfter]);
    expect(new Set(anew.map((attempt) => attempt?.number)).size).toBe(4);
    expect(Math.min(...anew.map((attempt) => attempt?.number ?? 0))).toBeGreaterThan(base.attempts);
    expect(ring.slots.key1.regenerations.slice(0, -1)).toEqual(base.slots.key1.regenerations);
    expect(ring.slots.key1.publications.slice(0, -1)).toEqual(base.slots.key1.publications);
    expect(ring).toMatchObject({
      revision: base.revision + 1_000_000,
      keysFrom: base.revision + 1,
      vaultFrom: base.revision + 1,
      incarnation: 7,
      restored: true,
      registryFrom: NOW + terms.quiescenceMs,
      highestGeneration: 5,
      attempts: base.attempts + 4,
      intent: null,
      known: { key1: null, key2: null },
      evidence: null,
      asked: { generation: 1, request: 1_004, rotationId: null, overdue: null },
      waiting: null,
      lookWanted: 'restored',
    });
    expect(ring.slots.key1.answered).toBeNull();
  });

  it('begins without a question when none was put', () => {
    expect(evolve({ ...base, asked: null }, newIncarnation(base, what, terms, NOW)).asked).toBeNull();
  });
});

describe('what consumers read after a restore', () => {
  const adopt = (current: SeenVault['current'], ring = base) => adoptRestored(ring, known, current, NOW);

  it('is taken for published when it is a key that the account holds', () => {
    for (const generation of [1, 2])
      expect(adopt(ours(generation))).toEqual({
        do: 'record',
        event: {
          type: 'Published',
          at: NOW,
          slot: 'key1',
          fingerprint: keyA,
          generation,
          version: 'v',
          attempt: null,
        },
      });
    expect(adopt(ours(1), { ...base, published: null })).not.toBeNull();
  });

  it('is not when it is another key, from before what is known, or somebody else’s', () => {
    for (const current of [ours(2, keyC), ours(0), untagged, missing]) expect(adopt(current)).toBeNull();
  });

  it('is nothing to decide when nothing was restored', () => {
    expect(adopt(ours(2), { ...base, restored: false })).toBeNull();
  });
});
