// Account, vault and key ring disagree: what a person changed by hand, and what is done about it.
import { otherSlot, SLOTS, type Fingerprint, type KeySlot } from '@twinkey/contracts';
import type { RingEvent } from './events.js';
import type { KeyRing } from './key-ring.js';
import { record, type Fingerprints, type Next } from './next.js';
import type { Observed, SeenVault } from './observed.js';

type Drift = Pick<Extract<RingEvent, { type: 'DriftFound' }>, 'kind' | 'detail'>;
type Published = KeyRing & { readonly published: NonNullable<KeyRing['published']> };

/** What consumers read or use is not what was published; null: all is well. */
export function driftOf(
  { published, ahead }: Published,
  keys: Fingerprints,
  vault: SeenVault['current'],
): Drift | null {
  if (keys[published.slot] !== published.fingerprint) {
    return { kind: 'key-regenerated', detail: `someone regenerated ${published.slot}, which is in use` };
  }
  const detail = vaultDrift(published, vault);
  if (detail !== null) return { kind: 'vault-changed', detail };
  if (ahead > published.generation) {
    return {
      kind: 'acknowledgement-ahead',
      detail: `an instance uses generation ${ahead}, and ${published.generation} is the newest that was published`,
    };
  }
  return null;
}

function vaultDrift(published: Published['published'], vault: SeenVault['current']): string | null {
  if (vault.is === 'missing') return 'the secret has no current version';
  if (vault.is === 'untagged') return 'someone else wrote the current version of the secret';
  const same =
    vault.slot === published.slot &&
    vault.fingerprint === published.fingerprint &&
    vault.generation === published.generation;
  return same
    ? null
    : `the current version of the secret is generation ${vault.generation}, not ${published.generation}`;
}

/**
 * Keeps in mind which key each slot holds. A key that nobody is on and that changed although we did not call is a
 * stranger's doing: it is taken as the slot's key from now on, and people hear of it. While it is to be retired
 * anyway, its retirement tells.
 */
export function noteKeys(ring: KeyRing, keys: Fingerprints, now: number): Next | null {
  const { published, known, slots } = ring;
  if (published === null) return null;
  const settled = SLOTS.filter((slot) => slots[slot].regenerations.length === 0);
  const spare = otherSlot(published.slot);
  const wasKnown = known[spare];
  if (settled.includes(spare) && wasKnown !== null && wasKnown !== keys[spare]) {
    return slots[spare].retire === null
      ? record({ type: 'KeyAdopted', at: now, slot: spare, fingerprint: keys[spare] })
      : note(now, spare, keys[spare]);
  }
  const unknown = settled.find((slot) => known[slot] === null);
  return unknown === undefined ? null : note(now, unknown, keys[unknown]);
}

function note(now: number, slot: KeySlot, fingerprint: Fingerprint): Next {
  return record({ type: 'KeysNoted', at: now, keys: { [slot]: fingerprint } });
}

/**
 * The look at an account that is at rest: does the vault show what was published, and does the data plane accept it?
 * It lists no keys, since that counts as a write of Resource Manager; whatever looks wrong makes the plan list them.
 */
export function inspect({ published }: KeyRing, seen: Observed, now: number): Next {
  if (published === null) return { do: 'rest' };
  if (seen.vault === null) return { do: 'read-vault' };
  const drift = vaultDrift(published, seen.vault.current);
  if (drift !== null) return record({ type: 'LookWanted', at: now, why: drift });
  const { slot, fingerprint } = published;
  const probe = seen.probes[fingerprint];
  if (probe === undefined) return { do: 'probe', slot, fingerprint };
  if (probe.verdict === 'accepted') return { do: 'rest' };
  return record({ type: 'LookWanted', at: now, why: `the data plane refuses ${slot}, which is in use` });
}
