// To the millisecond: when is a look that disagrees believed, waited for, or taken again?
import { describe, expect, it } from '@jest/globals';
import { Fingerprint } from '@twinkey/contracts';
import { emptyRing, type KeyRing } from './key-ring.js';
import { mistrustLateList, mistrustLateVault } from './lateness.js';
import type { SeenVault } from './observed.js';
import { account, terms } from './testing/small-world.js';

const AT = 1_000_000;
const SURELY = AT + terms.quiescenceMs;
const [old, fresh, used] = ['a', 'b', 'c'].map((digit) => Fingerprint.parse(digit.repeat(32))) as [
  Fingerprint,
  Fingerprint,
  Fingerprint,
];
const usual: KeyRing = {
  ...emptyRing(account),
  published: { slot: 'key2', fingerprint: used, generation: 3, version: 'v3', at: AT },
  known: { key1: null, key2: used },
};

/** key1 is known to hold the fresh key since AT: by the answer of its regeneration, or by an earlier list. */
const answered: KeyRing = {
  ...usual,
  slots: { ...usual.slots, key1: { ...usual.slots.key1, answered: { fingerprint: fresh, at: AT } } },
};
const noted: KeyRing = { ...usual, known: { key1: fresh, key2: used }, knownAt: { key1: AT, key2: 0 } };

function list(ring: KeyRing, { key1 = old, key2 = used, listedAt = AT, now = AT }) {
  return mistrustLateList(ring, { fingerprints: { key1, key2 }, revision: 0, at: listedAt }, terms, now);
}

describe('a list that shows another key than the one that is known', () => {
  // A tenth of the quiescence would be shorter than the pause between two probes.
  const again = AT + terms.probePauseMs;

  it('is waited for, and made again after the pause', () => {
    for (const ring of [answered, noted]) {
      expect(list(ring, { now: again - 1 })).toMatchObject({
        do: 'wait',
        what: { for: 'propagation', until: again },
      });
      expect(list(ring, { now: again })).toEqual({ do: 'list-keys' });
    }
  });

  it('is made ten times at most, however long the quiescence is', () => {
    const patient = { ...terms, quiescenceMs: 100_000 };
    const keys = { fingerprints: { key1: old, key2: used }, revision: 0, at: AT };
    expect(mistrustLateList(answered, keys, patient, AT)).toMatchObject({ what: { until: AT + 10_000 } });
  });

  it('is not waited for longer than any list can be late', () => {
    const listedAt = SURELY - 1;
    expect(list(answered, { listedAt, now: listedAt })).toMatchObject({ what: { until: SURELY } });
  });

  it('is believed when it was made after that: over the answer, and to a stranger’s', () => {
    expect(list(answered, { listedAt: SURELY, now: SURELY })).toEqual({
      do: 'record',
      event: { type: 'AnswerOverruled', at: SURELY, slot: 'key1', listed: old },
    });
    expect(list(noted, { listedAt: SURELY, now: SURELY })).toBeNull();
  });

  it('is believed at once about the key in use: consumers are cut off until it is healed', () => {
    expect(list({ ...noted, knownAt: { key1: AT, key2: AT } }, { key1: fresh, key2: old })).toBeNull();
  });

  it('says nothing while a call of ours may have changed the slot', () => {
    const doubt = { ...noted.slots.key1, regenerations: [{ number: 1, notAfter: AT }] };
    expect(list({ ...noted, slots: { ...noted.slots, key1: doubt } }, {})).toBeNull();
  });

  it('says nothing of a key that nobody had seen, or while nothing is published', () => {
    expect(list(usual, {})).toBeNull();
    expect(list({ ...noted, published: null }, {})).toBeNull();
  });
});

describe('a list that shows what is known', () => {
  it('is believed', () => {
    for (const ring of [answered, noted]) expect(list(ring, { key1: fresh })).toBeNull();
  });
});

describe('a vault that does not show the publication', () => {
  const missing = { is: 'missing' } as const;
  const untagged = { is: 'untagged', fingerprint: old, version: 'x' } as const;
  const ours = (generation: number) =>
    ({ is: 'ours', slot: 'key1', fingerprint: old, generation, version: 'x' }) as const;
  const read = (current: SeenVault['current'], { at = AT, now = AT } = {}) =>
    mistrustLateVault(usual, { current, revision: 0, at }, terms, now);

  it('is read again after a pause, as long as a replica may lag', () => {
    for (const current of [missing, untagged, ours(2)]) {
      const again = AT + terms.probePauseMs;
      expect(read(current, { now: again - 1 })).toMatchObject({
        do: 'wait',
        what: { for: 'propagation', until: again },
      });
      expect(read(current, { now: again })).toEqual({ do: 'read-vault' });
    }
  });

  it('is believed when it was read after that', () => {
    for (const current of [missing, ours(2)]) {
      expect(read(current, { at: SURELY - 1, now: SURELY - 1 })).not.toBeNull();
      expect(read(current, { at: SURELY, now: SURELY })).toBeNull();
    }
  });

  it('is mistrusted for ten pauses when a stranger may have written it', () => {
    const over = AT + 10 * terms.probePauseMs;
    expect(read(untagged, { at: over - 1, now: over - 1 })).not.toBeNull();
    expect(read(untagged, { at: over, now: over })).toBeNull();
  });

  it('is believed at once when it shows that generation or a later one', () => {
    for (const generation of [3, 4]) expect(read(ours(generation))).toBeNull();
  });

  it('is believed at once while nothing is published', () => {
    const seen = { current: missing, revision: 0, at: AT };
    expect(mistrustLateVault({ ...usual, published: null }, seen, terms, AT)).toBeNull();
  });
});
