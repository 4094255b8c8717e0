// When may a slot's key become what everyone reads, and under which number?
import { otherSlot, type Fingerprint, type KeySlot } from '@twinkey/contracts';
import type { Waiting } from './events.js';
import type { KeyRing } from './key-ring.js';
import type { SeenVault } from './observed.js';

/**
 * What speaks against publishing this key now; null: nothing. That the data plane accepts the key is asked apart.
 * - a regeneration of the slot that may still execute would kill the key after its publication;
 * - a publication of another key that may still land would put the generation back.
 */
export function obstacleToPublishing(ring: KeyRing, slot: KeySlot, key: Fingerprint): Waiting | null {
  const record = ring.slots[slot];
  if (record.regenerations.length > 0) {
    return { for: 'quiescence', detail: `a regeneration of ${slot} may still execute` };
  }
  if (ring.slots[otherSlot(slot)].publications.length > 0) {
    return { for: 'quiescence', detail: `a publication of ${otherSlot(slot)} may still become current` };
  }
  if (record.publications.length > 0 && !(ring.intent?.slot === slot && ring.intent.fingerprint === key)) {
    return { for: 'quiescence', detail: `an older publication of ${slot} may still become current` };
  }
  return null;
}

/** The next generation for this key. The number of an intent that never landed names that key for ever. */
export function nextGeneration(
  ring: KeyRing,
  slot: KeySlot,
  key: Fingerprint,
  vault: SeenVault['current'],
): number {
  const { intent, published } = ring;
  const seen = vault.is === 'ours' ? vault.generation : 0;
  const sameKey = intent !== null && intent.slot === slot && intent.fingerprint === key;
  if (sameKey && intent.generation > (published?.generation ?? 0) && intent.generation > seen)
    return intent.generation;
  return Math.max(ring.highestGeneration, published?.generation ?? 0, seen) + 1;
}
