// What a call and a question change of a ring, and that they change nothing else.
import { describe, expect, it } from '@jest/globals';
import { base, changed, fold, key1, keyA, keyB, keyC, next, NOW } from './testing/told-ring.js';
import { rotationId } from './testing/small-world.js';

const numbers = (attempts: readonly { readonly number: number }[] = []) =>
  attempts.map(({ number }) => number);

describe('a regeneration', () => {
  const slot = 'key1';

  it('that is intended is in doubt from then on, and nothing that was listed before counts', () => {
    const intended = { type: 'RegenerationIntended', slot, attempt: 15, notAfter: NOW + 1 } as const;
    expect(changed({ ...intended, before: { key1: keyA, key2: keyC } })).toEqual({
      ...key1({
        answered: null,
        regeneratedFor: rotationId,
        regeneratedAt: NOW,
        regenerations: [...base.slots.key1.regenerations, { number: 15, notAfter: NOW + 1 }],
      }),
      attempts: 15,
      keysFrom: next,
      known: { key1: null, key2: keyC },
    });
  });

  it('that is answered settles its own doubt only, and its answer is what is known', () => {
    const after = { key1: keyC, key2: keyB };
    const ring = fold(base, { type: 'RegenerationAnswered', slot, attempt: 13, after });
    expect(numbers(ring.slots.key1.regenerations)).toEqual([14]);
    expect(ring).toMatchObject({ known: after, waiting: null });
    expect(ring.slots.key1.answered).toEqual({ fingerprint: keyC, at: NOW });
  });

  it('that was not executed is in doubt no more, and nothing else changes', () => {
    expect(changed({ type: 'RegenerationNotExecuted', slot, attempt: 14, code: 'away' })).toEqual(
      key1({ regenerations: base.slots.key1.regenerations.filter(({ number }) => number === 13) }),
    );
  });

  it('without an answer makes the keys be listed anew', () => {
    expect(changed({ type: 'RegenerationInDoubt', slot, attempt: 13, detail: 'x' })).toEqual({
      keysFrom: next,
      waiting: null,
    });
  });

  it('that can no longer execute is settled by a list, not by an earlier answer', () => {
    expect(changed({ type: 'RegenerationsSettled', slot, attempts: [13] })).toEqual({
      ...key1({
        answered: null,
        regenerations: base.slots.key1.regenerations.filter(({ number }) => number === 14),
      }),
      keysFrom: next,
      waiting: null,
    });
  });

  it('whose answer a list overrules leaves what was listed', () => {
    expect(changed({ type: 'AnswerOverruled', slot, listed: keyB })).toMatchObject({
      ...key1({ answered: null }),
      known: { ...base.known, key1: keyB },
    });
  });
});

describe('a publication', () => {
  const slot = 'key1';
  const what = { slot, fingerprint: keyC, generation: 5 } as const;

  it('that is intended is in doubt from then on, and its number is taken for ever', () => {
    expect(changed({ type: 'PublicationIntended', ...what, attempt: 15, notAfter: NOW + 1 })).toEqual({
      ...key1({ publications: [...base.slots.key1.publications, { number: 15, notAfter: NOW + 1 }] }),
      attempts: 15,
      intent: what,
      highestGeneration: 5,
      vaultFrom: next,
    });
    const lower = { type: 'PublicationIntended', ...what, generation: 1, attempt: 15, notAfter: 1 } as const;
    expect(fold(base, lower).highestGeneration).toBe(2);
  });

  it('that happened is what everyone has to acknowledge anew, and heals what was adrift', () => {
    const told = {
      ...base,
      evidence: { generation: 1, rotationId: null, openFrom: 0, kind: 'forced' },
    } as const;
    expect(changed({ type: 'Published', ...what, version: 'v', attempt: 12 }, told)).toEqual({
      ...key1({ publications: base.slots.key1.publications.filter(({ number }) => number === 11) }),
      published: { ...what, version: 'v', at: NOW },
      highestGeneration: 5,
      known: { ...base.known, key1: keyC },
      restored: false,
      intent: null,
      evidence: null,
      drift: null,
      waiting: null,
      vaultFrom: next,
    });
  });

  it('that was seen in the vault settles no call: any of them may still land', () => {
    const ring = fold(base, { type: 'Published', ...what, generation: 1, version: 'v', attempt: null });
    expect(numbers(ring.slots.key1.publications)).toEqual([11, 12]);
    expect(ring.highestGeneration).toBe(2);
  });

  it('that was not executed is in doubt no more, and nothing else changes', () => {
    expect(changed({ type: 'PublicationNotExecuted', slot, attempt: 11, code: 'away' })).toEqual(
      key1({ publications: base.slots.key1.publications.filter(({ number }) => number === 12) }),
    );
  });

  it('without an answer makes the vault be read anew', () => {
    expect(changed({ type: 'PublicationInDoubt', slot, attempt: 11, detail: 'x' })).toEqual({
      vaultFrom: next,
      waiting: null,
    });
  });

  it('that can no longer land is settled by reading the vault', () => {
    expect(changed({ type: 'PublicationsSettled', slot, attempts: [11] })).toEqual({
      ...key1({ publications: base.slots.key1.publications.filter(({ number }) => number === 12) }),
      vaultFrom: next,
      waiting: null,
    });
  });
});

describe('the question who uses a generation', () => {
  const question = { generation: 1, request: 4, rotationId, deadlineAt: NOW, waived: [] } as const;
  const asked = fold(base, { type: 'SwitchAsked', ...question });

  it('is kept as it was put', () => {
    expect(changed({ type: 'SwitchAsked', ...question })).toEqual({
      asked: { ...question, overdue: null },
      waiting: null,
    });
  });

  it('that everyone answered is evidence for the rotation that asked', () => {
    const { evidence } = fold(asked, {
      type: 'SwitchConfirmed',
      generation: 1,
      request: 4,
      openFrom: 7,
      instances: 2,
    });
    expect(evidence).toEqual({ generation: 1, rotationId, openFrom: 7, kind: 'acknowledged' });
  });

  it('that nobody put makes evidence for no rotation', () => {
    const unasked = { ...base, asked: null };
    const confirmed = {
      type: 'SwitchConfirmed',
      generation: 1,
      request: 4,
      openFrom: 7,
      instances: 2,
    } as const;
    expect(fold(unasked, confirmed).evidence?.rotationId).toBeNull();
    const overdue = { type: 'SwitchOverdue', generation: 1, request: 4, missing: [] } as const;
    expect(fold(unasked, overdue).asked).toBeNull();
  });

  it('that is overdue keeps who is missing, and when the others are done if that was said', () => {
    const overdue = { type: 'SwitchOverdue', generation: 1, request: 4, missing: ['b'] } as const;
    expect(fold(asked, overdue).asked?.overdue).toStrictEqual({ at: NOW, missing: ['b'] });
    expect(fold(asked, { ...overdue, openFrom: 9 }).asked?.overdue).toStrictEqual({
      at: NOW,
      missing: ['b'],
      openFrom: 9,
    });
  });

  it('that is overdue may be overruled by the policy, for the open rotation and as such', () => {
    const forced = { type: 'GateForced', generation: 1, missing: ['b'], openFrom: 9 } as const;
    expect(changed(forced, { ...base, evidence: null })).toMatchObject({
      evidence: { generation: 1, rotationId, openFrom: 9, kind: 'forced' },
      waiting: null,
    });
    expect(fold({ ...base, rotation: null }, forced).evidence?.rotationId).toBeNull();
  });
});
