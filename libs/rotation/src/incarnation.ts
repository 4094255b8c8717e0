// A database that was restored from a backup has forgotten what was decided and called since. Its ring begins anew:
// any call may have been made and may still execute, nobody has acknowledged anything, no number is used twice.
import { SLOTS } from '@twinkey/contracts';
import type { RingEvent } from './events.js';
import type { KeyRing, SlotRecord } from './key-ring.js';
import { record, type Next } from './next.js';
import type { SeenVault } from './observed.js';
import { unanswered } from './questions.js';
import type { Terms } from './terms.js';

type Began = Extract<RingEvent, { type: 'IncarnationBegan' }>;

/** More questions than one life asks about one generation: the notifier may remember some of the forgotten ones. */
const FORGOTTEN_REQUESTS = 1_000;

/** More than a ring lives through in years: what is told of the new life must not pass for something told before. */
export const FORGOTTEN_REVISIONS = 1_000_000;

/** The event that begins a new life of this ring. */
export function newIncarnation(
  ring: KeyRing,
  { incarnation, cause }: Pick<Began, 'incarnation' | 'cause'>,
  terms: Pick<Terms, 'callDeadlineMs' | 'quiescenceMs' | 'registryRebuildMs'>,
  now: number,
  shown = 0,
): Began {
  return {
    type: 'IncarnationBegan',
    at: now,
    incarnation,
    cause,
    notAfter: now + terms.callDeadlineMs,
    registryFrom: now + (terms.registryRebuildMs ?? terms.quiescenceMs),
    generation: Math.max(shown, ring.highestGeneration),
  };
}

/** The vault shows a publication of ours that this ring knows nothing of: the ring is from before it. */
export function noticeRestore(
  ring: KeyRing,
  vault: SeenVault['current'],
  terms: Terms,
  now: number,
): Next | null {
  if (vault.is !== 'ours' || vault.generation <= ring.highestGeneration) return null;
  const cause = `the vault shows generation ${vault.generation}, the database knows none above ${ring.highestGeneration}`;
  return record(newIncarnation(ring, { incarnation: ring.incarnation, cause }, terms, now, vault.generation));
}

/** What consumers read is believed, if it is a key that the account holds: whoever uses it is not moved. */
export function adoptRestored(
  ring: KeyRing,
  keys: Readonly<Record<'key1' | 'key2', string>>,
  vault: SeenVault['current'],
  now: number,
): Next | null {
  if (!ring.restored || vault.is !== 'ours' || keys[vault.slot] !== vault.fingerprint) return null;
  if (vault.generation < (ring.published?.generation ?? 0)) return null;
  const { slot, fingerprint, generation, version } = vault;
  return record({ type: 'Published', at: now, slot, fingerprint, generation, version, attempt: null });
}

export function beginAnew(ring: KeyRing, event: Began): KeyRing {
  const next = ring.revision + 1;
  let { attempts } = ring;
  const doubt = () => ({ number: (attempts += 1), notAfter: event.notAfter });
  const doubted = (slot: (typeof SLOTS)[number]): SlotRecord => ({
    ...ring.slots[slot],
    regenerations: [...ring.slots[slot].regenerations, doubt()],
    publications: [...ring.slots[slot].publications, doubt()],
    answered: null,
  });
  const slots = { key1: doubted('key1'), key2: doubted('key2') };
  const asked = unanswered(ring);
  return {
    ...ring,
    incarnation: event.incarnation,
    restored: true,
    registryFrom: event.registryFrom,
    highestGeneration: Math.max(ring.highestGeneration, event.generation),
    slots,
    attempts,
    intent: null,
    known: { key1: null, key2: null },
    evidence: null,
    asked: asked && { ...asked, request: asked.request + FORGOTTEN_REQUESTS },
    waiting: null,
    lookWanted: event.cause,
    keysFrom: next,
    vaultFrom: next,
  };
}
