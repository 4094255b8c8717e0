import { otherSlot, type Step } from '@twinkey/contracts';
import type { KeyRing } from './key-ring.js';

/** The step that people see, derived from the ring; null while nothing is to be retired. */
export function stepOf(ring: KeyRing): Step | null {
  const { rotation, published, slots } = ring;
  if (rotation?.startedFrom == null || published === null) return null;
  const inUse = published.slot;
  const spare = otherSlot(inUse);
  if (slots[spare].retire !== null) return hasEvidence(ring) ? `regenerate-${spare}` : `switch-to-${inUse}`;
  return slots[inUse].retire === null ? null : `switch-to-${spare}`;
}

/** Evidence counts for the published generation only, and only for the rotation that asked. */
export function hasEvidence({ evidence, published, rotation }: KeyRing): boolean {
  return (
    evidence !== null &&
    published !== null &&
    evidence.generation === published.generation &&
    evidence.rotationId === (rotation?.rotationId ?? null)
  );
}
