// The gate before every regeneration, the first as well as the second: who still may be on the slot?
import { otherSlot, type KeySlot } from '@twinkey/contracts';
import type { Waiting } from './events.js';
import type { KeyRing } from './key-ring.js';
import { hasEvidence } from './steps.js';

export type Gate =
  | { readonly is: 'open' }
  /** Nobody has been asked yet whether everyone uses the published generation. */
  | { readonly is: 'not-asked' }
  | { readonly is: 'waiting'; readonly what: Waiting }
  | {
      readonly is: 'overdue';
      readonly missing: readonly string[];
      readonly openFrom?: number;
      /** One of the missing is not to be left behind, whatever the policy says. */
      readonly hold?: boolean;
    };

/**
 * May `slot` be regenerated now? Asks only for evidence: that the vault and the account show what the ring
 * says has been established by the plan before it comes here. Never opens for the published slot.
 */
export function gate(ring: KeyRing, slot: KeySlot, now: number): Gate {
  const { published, asked, evidence, slots, rotation } = ring;
  if (published?.slot !== otherSlot(slot)) {
    throw new Error(`the gate was asked about the published slot ${slot}`);
  }
  if (ring.registryFrom !== null && now < ring.registryFrom) {
    return {
      is: 'waiting',
      what: {
        for: 'drain',
        detail: 'after a restore every instance gets the time to register anew',
        until: ring.registryFrom,
      },
    };
  }
  if (slots[slot].publications.length > 0) {
    return {
      is: 'waiting',
      what: { for: 'quiescence', detail: `a publication of ${slot} may still become current` },
    };
  }
  if (hasEvidence(ring) && evidence !== null) {
    if (now >= evidence.openFrom) return { is: 'open' };
    return {
      is: 'waiting',
      what: {
        for: 'drain',
        detail: 'calls and tokens of the older key are still dying',
        until: evidence.openFrom,
      },
    };
  }
  const askedForThis =
    asked !== null &&
    asked.generation === published.generation &&
    asked.rotationId === (rotation?.rotationId ?? null) &&
    (rotation?.waived ?? []).every((consumer) => asked.waived.includes(consumer));
  if (!askedForThis) return { is: 'not-asked' };
  if (asked.overdue !== null) {
    const { missing, openFrom, hold } = asked.overdue;
    return {
      is: 'overdue',
      missing,
      ...(openFrom === undefined ? {} : { openFrom }),
      ...(hold === undefined ? {} : { hold }),
    };
  }
  return {
    is: 'waiting',
    what: {
      for: 'acknowledgements',
      detail: `every instance must acknowledge generation ${published.generation}`,
      until: asked.deadlineAt,
    },
  };
}
