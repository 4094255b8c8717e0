// A ring in the middle of everything, and what one more event changes of it.
import { expect } from '@jest/globals';
import { Fingerprint } from '@twinkey/contracts';
import type { RingEvent } from '../events.js';
import { evolve } from '../evolve.js';
import type { KeyRing, SlotRecord } from '../key-ring.js';
import { requested, rotationId } from './small-world.js';

export const NOW = 2_000_000;
export const [keyA, keyB, keyC] = ['a', 'b', 'c'].map((digit) => Fingerprint.parse(digit.repeat(32))) as [
  Fingerprint,
  Fingerprint,
  Fingerprint,
];

type Told = {
  [Type in RingEvent['type']]: Omit<Extract<RingEvent, { type: Type }>, 'at'>;
}[RingEvent['type']];
const at = (event: Told): RingEvent => ({ ...event, at: NOW });
/** The ring after all of that. */
export const fold = (ring: KeyRing, ...events: readonly Told[]) => events.map(at).reduce(evolve, ring);

/** key2 in use, a rotation of both keys begun, something told of it, and four calls of key1 in doubt. */
export const base: KeyRing = (() => {
  const notAfter = NOW;
  const intent = { slot: 'key1', fingerprint: keyA, generation: 2, notAfter } as const;
  const before = { key1: keyA, key2: keyB };
  const ring = fold(
    requested(),
    { type: 'RetirementsRecorded', rotationId, retire: { key1: keyA, key2: keyB }, startedFrom: 'key2' },
    { type: 'PublicationIntended', ...intent, attempt: 11 },
    { type: 'PublicationIntended', ...intent, attempt: 12 },
    { type: 'RegenerationIntended', slot: 'key1', before, attempt: 13, notAfter },
    { type: 'RegenerationIntended', slot: 'key1', before, attempt: 14, notAfter },
  );
  const answered = { fingerprint: keyC, at: 1 };
  return {
    ...ring,
    slots: { ...ring.slots, key1: { ...ring.slots.key1, answered } },
    waiting: 'outage: away',
    drift: 'somebody wrote the vault',
    lookWanted: 'an event',
    restored: true,
  };
})();
/** What the revision is after one more event. */
export const next = base.revision + 1;

/** The fields that an event changes, with what they become. */
export function changed(event: Told, ring = base): Partial<KeyRing> {
  const after = fold(ring, event);
  expect(after.revision).toBe(ring.revision + 1);
  return Object.fromEntries(
    Object.entries(after).filter(
      ([field, value]) =>
        field !== 'revision' && JSON.stringify(value) !== JSON.stringify(ring[field as keyof KeyRing]),
    ),
  );
}
/** The slots as they are, but for this of key1. */
export const key1 = (what: Partial<SlotRecord>, ring = base) => ({
  slots: { ...ring.slots, key1: { ...ring.slots.key1, ...what } },
});
