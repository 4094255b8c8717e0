// What was seen may be from before the last change: a late list, a lagging replica of the vault. Acting on it would
// retire the wrong key, or publish without end.
import { otherSlot, SLOTS, type Fingerprint, type KeySlot } from '@twinkey/contracts';
import type { KeyRing } from './key-ring.js';
import { record, wait, type Next } from './next.js';
import type { SeenKeys, SeenVault } from './observed.js';
import type { Terms } from './terms.js';

/** How many lists are made at most while one of them is late, and looks at a vault that a stranger may have written. */
const LATE_LISTS = 10;
const UNTAGGED_LOOKS = 10;

/**
 * The answer of a regeneration and a list that disagree: the list is late, or a stranger came after us. Only a list
 * that was asked for when no list can be late any more decides. Lists count as writes, so few of them are made.
 */
export function mistrustLateList(
  ring: KeyRing,
  { fingerprints, at }: SeenKeys,
  terms: Terms,
  now: number,
): Next | null {
  for (const slot of SLOTS) {
    const { answered } = ring.slots[slot];
    const listed = fingerprints[slot];
    const expected = answered ?? noted(ring, slot);
    if (expected === null || expected.fingerprint === listed) continue;
    const surely = expected.at + terms.quiescenceMs;
    if (at >= surely) {
      if (answered === null) continue; // a stranger's: whoever compares keys comes to it
      return record({ type: 'AnswerOverruled', at: now, slot, listed });
    }
    const again = Math.min(surely, at + Math.max(terms.probePauseMs, terms.quiescenceMs / LATE_LISTS));
    if (now >= again) return { do: 'list-keys' };
    return wait({
      for: 'propagation',
      detail: `the list of keys does not show the new ${slot} yet`,
      until: again,
    });
  }
  return null;
}

/**
 * What the slot that nobody is on was seen to hold. A key in use that was replaced is not waited for: consumers are
 * cut off until it is healed.
 */
function noted(
  { published, known, knownAt, slots }: KeyRing,
  slot: KeySlot,
): { readonly fingerprint: Fingerprint; readonly at: number } | null {
  const fingerprint = known[slot];
  const isSpare = published !== null && slot === otherSlot(published.slot);
  if (!isSpare || fingerprint === null || slots[slot].regenerations.length > 0) return null;
  return { fingerprint, at: knownAt[slot] };
}

/**
 * Soon after a publication a replica of the vault may show what was there before. Publishing again because of that
 * would burn generations as long as it lags.
 */
export function mistrustLateVault(
  { published }: KeyRing,
  { current, at }: SeenVault,
  terms: Terms,
  now: number,
): Next | null {
  if (published === null) return null;
  const before = current.is !== 'ours' || current.generation < published.generation;
  // A version without our tags is rather a stranger's than one from before the first publication.
  const lateForMs = current.is === 'untagged' ? UNTAGGED_LOOKS * terms.probePauseMs : terms.quiescenceMs;
  if (!before || at >= published.at + lateForMs) return null;
  const again = at + terms.probePauseMs;
  if (now >= again) return { do: 'read-vault' };
  return wait({
    for: 'propagation',
    detail: `the vault does not show generation ${published.generation} yet`,
    until: again,
  });
}
