import type { KeyRing } from './key-ring.js';

/** The request number must keep growing; everything else of the question is put anew. */
export function unanswered(ring: KeyRing): KeyRing['asked'] {
  return ring.asked && { ...ring.asked, rotationId: null, overdue: null };
}
