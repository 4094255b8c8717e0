// Where a halted rotation would go on if it were replayed now, and whom that could interrupt. Said from the ring
// alone: a replay looks at everything outside before it acts.
import { otherSlot, SLOTS, type KeySlot, type RotationId, type Step } from '@twinkey/contracts';
import { openRotations, type KeyRing } from './key-ring.js';
import { atWork } from './line.js';
import { hasEvidence, stepOf } from './steps.js';
import { termsFor, type PolicyTerms } from './terms.js';

export interface Foresight {
  /** null: before the first step, or after the last. */
  readonly step: Step | null;
  /** What it would do first, in one sentence. */
  readonly next: string;
  /** Whether nobody can be interrupted by it. */
  readonly safe: boolean;
  readonly because: string;
}

/** null: no such rotation is open. */
export function foresee(ring: KeyRing, rotationId: RotationId, usual: PolicyTerms): Foresight | null {
  if (!openRotations(ring).some((rotation) => rotation.rotationId === rotationId)) return null;
  const replayed = atWork(ring, rotationId);
  const { safe, because } = judge(replayed, termsFor(replayed, usual));
  return { step: stepOf(replayed), next: nextOf(replayed), safe, because };
}

function nextOf(ring: KeyRing): string {
  const { rotation, published, slots } = ring;
  if (published === null || rotation?.startedFrom == null)
    return 'It lists the keys and notes which of them are to be retired.';
  if (SLOTS.some((slot) => inDoubt(ring, slot)))
    return 'It waits until the call in doubt can no longer execute, and then looks at what became of it.';
  const dead = SLOTS.find((slot) => isReplaced(ring, slot));
  if (dead !== undefined) return `It proves that the old ${dead} is refused; ${dead} is replaced already.`;
  const spare = otherSlot(published.slot);
  if (slots[spare].retire !== null) {
    return hasEvidence(ring)
      ? `It regenerates ${spare}: everyone has acknowledged generation ${published.generation}.`
      : `It asks every instance about generation ${published.generation}, and regenerates ${spare} when all have acknowledged.`;
  }
  if (slots[published.slot].retire !== null)
    return `It verifies ${spare}, publishes it, and has everyone move to it.`;
  return 'It finds nothing left to retire, and completes.';
}

function judge(ring: KeyRing, terms: PolicyTerms): Pick<Foresight, 'safe' | 'because'> {
  const { rotation, evidence, asked } = ring;
  const waived = rotation?.waived ?? [];
  if (waived.length > 0)
    return { safe: false, because: `${waived.join(', ')} is excused from acknowledging and may be cut off` };
  if (hasEvidence(ring) && evidence?.kind === 'forced')
    return {
      safe: false,
      because: 'the deadline passed and the policy says to go on without the silent ones',
    };
  const silent = asked?.generation === ring.published?.generation ? (asked?.overdue?.missing ?? []) : [];
  if (terms.onOverdue === 'force' && silent.length > 0 && asked?.overdue?.hold !== true)
    return { safe: false, because: `${silent.join(', ')} is cut off if it misses the next deadline as well` };
  if (SLOTS.some((slot) => inDoubt(ring, slot)))
    return { safe: true, because: 'a call in doubt is decided by looking, never repeated blindly' };
  if (SLOTS.some((slot) => isReplaced(ring, slot)))
    return { safe: true, because: 'what was regenerated is not regenerated again' };
  return { safe: true, because: 'no key is regenerated before everyone has acknowledged the other one' };
}

function inDoubt({ slots }: KeyRing, slot: KeySlot): boolean {
  return slots[slot].regenerations.length > 0 || slots[slot].publications.length > 0;
}

/** Regenerated, and the proof that the old key is dead is still owed. */
function isReplaced({ slots }: KeyRing, slot: KeySlot): boolean {
  const { retire, answered } = slots[slot];
  return retire !== null && answered !== null && answered.fingerprint !== retire.fingerprint;
}
