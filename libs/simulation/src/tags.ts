// The tags of a secret version, as they are spelled in Key Vault; apart from the product's own spelling, which is judged here.
import { Fingerprint, generation, KeySlot, type RotationId } from '@twinkey/contracts';
import type { PublicationTags } from '@twinkey/key-store';

export function writeTags(tags: PublicationTags): Record<string, string> {
  return {
    'twinkey-account': tags.account,
    'twinkey-slot': tags.slot,
    'twinkey-generation': String(tags.generation),
    'twinkey-fingerprint': tags.fingerprint,
    ...(tags.rotation === undefined ? {} : { 'twinkey-rotation': tags.rotation }),
  };
}

/** null: not by twinkey. */
export function readTags(tags: Readonly<Record<string, string>>): PublicationTags | null {
  const account = tags['twinkey-account'];
  if (account === undefined) return null;
  const rotation = tags['twinkey-rotation'];
  return {
    account,
    slot: KeySlot.parse(tags['twinkey-slot']),
    generation: generation(Number(tags['twinkey-generation'])),
    fingerprint: Fingerprint.parse(tags['twinkey-fingerprint']),
    ...(rotation === undefined ? {} : { rotation: rotation as RotationId }),
  };
}
