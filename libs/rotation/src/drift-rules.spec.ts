// What counts as a change by hand, and what is only noted.
import { describe, expect, it } from '@jest/globals';
import { Fingerprint } from '@twinkey/contracts';
import { driftOf, inspect, noteKeys } from './drift.js';
import { emptyRing, type KeyRing } from './key-ring.js';
import { NOTHING_SEEN } from './observed.js';
import { account, rotationId } from './testing/small-world.js';

const NOW = 1_000_000;
const [spare, used, foreign] = ['a', 'b', 'c'].map((digit) => Fingerprint.parse(digit.repeat(32))) as [
  Fingerprint,
  Fingerprint,
  Fingerprint,
];
const publication = { slot: 'key2', fingerprint: used, generation: 3, version: 'v3' } as const;
const ring: KeyRing & { published: NonNullable<KeyRing['published']> } = {
  ...emptyRing(account),
  published: { ...publication, at: 0 },
  known: { key1: spare, key2: used },
};
const keys = { key1: spare, key2: used };
const shown = { is: 'ours', ...publication } as const;

describe('drift', () => {
  it('is none while account, vault and consumers are as was published', () => {
    expect(driftOf(ring, keys, shown)).toBeNull();
    expect(driftOf({ ...ring, ahead: 3 }, keys, shown)).toBeNull();
  });

  it('is a key in use that the account does not hold any more, before anything else', () => {
    expect(driftOf(ring, { ...keys, key2: foreign }, { is: 'missing' })?.kind).toBe('key-regenerated');
  });

  it('is no key that nobody is on', () => {
    expect(driftOf(ring, { ...keys, key1: foreign }, shown)).toBeNull();
  });

  it('is a vault that shows nothing, or what somebody else wrote', () => {
    const untagged = { is: 'untagged', fingerprint: used, version: 'x' } as const;
    for (const current of [{ is: 'missing' } as const, untagged])
      expect(driftOf(ring, keys, current)?.kind).toBe('vault-changed');
  });

  it('is a vault that shows another slot, another key or another generation', () => {
    for (const what of [{ slot: 'key1' as const }, { fingerprint: foreign }, { generation: 4 }])
      expect(driftOf(ring, keys, { ...shown, ...what })).toMatchObject({ kind: 'vault-changed' });
  });

  it('is an instance that uses a generation above the published one', () => {
    expect(driftOf({ ...ring, ahead: 4 }, keys, shown)?.kind).toBe('acknowledgement-ahead');
  });
});

describe('the keys that are listed', () => {
  const note = (one: KeyRing, listed = keys) => noteKeys(one, listed, NOW);
  const adopted = { type: 'KeyAdopted', at: NOW, slot: 'key1', fingerprint: foreign };
  const doubt = { ...ring.slots.key1, regenerations: [{ number: 1, notAfter: NOW }] };

  it('are no news when they are known, or while nothing is published', () => {
    expect(note(ring)).toBeNull();
    expect(note({ ...ring, published: null }, { ...keys, key1: foreign })).toBeNull();
  });

  it('are noted one by one when they were not known', () => {
    for (const [slot, fingerprint] of [
      ['key1', spare],
      ['key2', used],
    ] as const)
      expect(note({ ...ring, known: { ...ring.known, [slot]: null } })).toEqual({
        do: 'record',
        event: { type: 'KeysNoted', at: NOW, keys: { [slot]: fingerprint } },
      });
  });

  it('are taken over where nobody is on them', () => {
    expect(note(ring, { ...keys, key1: foreign })).toEqual({ do: 'record', event: adopted });
  });

  it('are only noted where the old one is to be retired anyway', () => {
    const retire = { fingerprint: spare, rotationId };
    const slots = { ...ring.slots, key1: { ...ring.slots.key1, retire } };
    expect(note({ ...ring, slots }, { ...keys, key1: foreign })).toMatchObject({
      event: { type: 'KeysNoted', keys: { key1: foreign } },
    });
  });

  it('say nothing of a slot with a call in doubt', () => {
    const slots = { ...ring.slots, key1: doubt };
    expect(note({ ...ring, slots }, { ...keys, key1: foreign })).toBeNull();
    expect(note({ ...ring, slots, known: { ...ring.known, key1: null } })).toBeNull();
  });

  it('leave a key in use that was replaced to those who heal it', () => {
    expect(note(ring, { ...keys, key2: foreign })).toBeNull();
  });
});

describe('the look at an account at rest', () => {
  const vault = { current: shown, revision: 0, at: NOW };
  const probed = (verdict: 'accepted' | 'refused') => ({ [used]: { verdict, tries: 1, at: NOW } });

  it('has nothing to look at before the first publication', () => {
    expect(inspect({ ...ring, published: null }, NOTHING_SEEN, NOW)).toEqual({ do: 'rest' });
  });

  it('reads the vault, then asks the data plane, then rests', () => {
    expect(inspect(ring, NOTHING_SEEN, NOW)).toEqual({ do: 'read-vault' });
    expect(inspect(ring, { ...NOTHING_SEEN, vault }, NOW)).toEqual({
      do: 'probe',
      slot: 'key2',
      fingerprint: used,
    });
    expect(inspect(ring, { ...NOTHING_SEEN, vault, probes: probed('accepted') }, NOW)).toEqual({
      do: 'rest',
    });
  });

  it('wants everything looked at when one of them looks wrong', () => {
    const wanted = { do: 'record', event: { type: 'LookWanted', at: NOW } };
    const gone = { ...vault, current: { is: 'missing' } as const };
    expect(inspect(ring, { ...NOTHING_SEEN, vault: gone }, NOW)).toMatchObject(wanted);
    expect(inspect(ring, { ...NOTHING_SEEN, vault, probes: probed('refused') }, NOW)).toMatchObject(wanted);
  });
});
