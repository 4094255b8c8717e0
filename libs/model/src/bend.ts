// A rule that the production plan keeps is switched off from outside: the plan is told something else than what was
// seen, or its answer is replaced. Production code has no switch.
import type { KeyRing, Next, Observed, Terms } from '@twinkey/rotation';
import { plan } from '@twinkey/rotation';
import { otherSlot } from '@twinkey/contracts';
import { LONG_AGO, NOW } from './moments.js';
import type { Plan } from './moves.js';
import { bendsThePlan, type Rules } from './rules.js';
import type { World } from './world.js';

/** The production plan, bent by the rules that are off. */
export function planUnder(rules: Rules, terms: Terms): Plan {
  if (!bendsThePlan(rules)) return ({ ring }, seen) => plan(ring, seen, terms, NOW);
  return (world, seen) => {
    const ring = bentRing(world.ring, rules);
    const bentTerms = rules.waitsForQuiescence ? terms : { ...terms, quiescenceMs: 0 };
    const told = bentSeen(world, seen, rules);
    const next = plan(ring, told, bentTerms, NOW);
    return bentNext(next, world, told, rules);
  };
}

function bentRing(ring: KeyRing, rules: Rules): KeyRing {
  const { published, rotation } = ring;
  let bent = ring;
  if (published !== null) {
    const spare = otherSlot(published.slot);
    const both = ring.slots.key1.retire !== null && ring.slots.key2.retire !== null;
    const skipsAll = ring.evidence?.kind === 'forced' && !rules.forceWaivesAcknowledgementsOnly;
    if (!rules.acknowledgementsGate || (!rules.firstRegenerationIsGated && both)) {
      const rotationId = rotation?.rotationId ?? null;
      const asked = ring.asked ?? null;
      bent = {
        ...bent,
        evidence: { generation: published.generation, rotationId, openFrom: LONG_AGO, kind: 'forced' },
        asked: asked && { ...asked, generation: published.generation },
      };
    }
    if (!rules.publicationsQuietBeforeRegeneration || skipsAll)
      bent = emptied(bent, spare, 'publications', (record) => record.retire !== null);
  }
  const { evidence } = bent;
  if (evidence !== null) {
    if (!rules.evidenceNamesTheRotation)
      bent = { ...bent, evidence: { ...evidence, rotationId: rotation?.rotationId ?? null } };
    if (!rules.drainIsWaitedFor) bent = { ...bent, evidence: { ...evidence, openFrom: LONG_AGO } };
  }
  for (const slot of ['key1', 'key2'] as const) {
    if (!rules.regenerationsQuietBeforePublication)
      bent = emptied(bent, slot, 'regenerations', (record) => record.retire === null);
    if (!rules.doubtsEndBeforeRetirements && rotation?.startedFrom === null)
      bent = emptied(bent, slot, 'regenerations', () => true);
    if (!rules.regenerationsQuietBeforeTheNext)
      bent = emptied(bent, slot, 'regenerations', (record) => record.retire !== null);
    if (!rules.olderPublicationsQuietBeforeNewGeneration)
      bent = emptied(
        bent,
        slot,
        'publications',
        (record) => record.retire === null || slot === published?.slot,
      );
    if (!rules.answerAndListAgree) bent = changed(bent, slot, { answered: null });
    if (!rules.answerAndListAgree) bent = { ...bent, knownAt: { key1: LONG_AGO, key2: LONG_AGO } };
  }
  if (!rules.listsAreTakenAfterTheRequest) bent = { ...bent, keysFrom: -1 };
  if (!rules.vaultIsReadAfterTheIntent) bent = { ...bent, vaultFrom: -1 };
  return bent;
}

type Slot = 'key1' | 'key2';
type SlotRecord = KeyRing['slots'][Slot];

function changed(ring: KeyRing, slot: Slot, change: Partial<SlotRecord>): KeyRing {
  return { ...ring, slots: { ...ring.slots, [slot]: { ...ring.slots[slot], ...change } } };
}

function emptied(
  ring: KeyRing,
  slot: Slot,
  kind: 'regenerations' | 'publications',
  when: (record: SlotRecord) => boolean,
): KeyRing {
  const record = ring.slots[slot];
  return record[kind].length > 0 && when(record) ? changed(ring, slot, { [kind]: [] }) : ring;
}

function bentSeen({ ring }: Pick<World, 'ring'>, seen: Observed, rules: Rules): Observed {
  let told = seen;
  const { published } = ring;
  const skipsAll = ring.evidence?.kind === 'forced' && !rules.forceWaivesAcknowledgementsOnly;
  if (published !== null && (!rules.gateComparesVault || skipsAll)) {
    const { slot, fingerprint, generation } = published;
    const current = { is: 'ours', slot, fingerprint, generation, version: 'v' } as const;
    if (told.vault !== null && ring.intent === null) told = { ...told, vault: { ...told.vault, current } };
  }
  if (!rules.adoptionNeedsTheVault && told.vault !== null && ring.intent !== null)
    told = { ...told, vault: { ...told.vault, current: { is: 'ours', version: 'v', ...ring.intent } } };
  if (!rules.verifiesBeforePublication && told.keys !== null) {
    const { key1, key2 } = told.keys.fingerprints;
    const accepted = { verdict: 'accepted', tries: 1, at: LONG_AGO } as const;
    told = { ...told, probes: { [key1]: accepted, [key2]: accepted } };
  }
  if (!rules.retirementIsProven) {
    const refused = { verdict: 'refused', tries: 1, at: LONG_AGO } as const;
    const proofs: Record<string, typeof refused> = {};
    for (const slot of ['key1', 'key2'] as const) {
      const { retire } = ring.slots[slot];
      if (retire !== null) proofs[retire.fingerprint] = refused;
    }
    told = { ...told, proofs };
  }
  return told;
}

function bentNext(next: Next, world: Pick<World, 'ring'>, seen: Observed, rules: Rules): Next {
  const { ring } = world;
  const { published, rotation, slots } = ring;
  if (published === null) return next;
  if (
    !rules.onlyTheUnpublishedSlot &&
    next.do === 'publish' &&
    next.slot !== published.slot &&
    slots[published.slot].retire !== null &&
    seen.keys !== null
  )
    return { do: 'regenerate', slot: published.slot, before: seen.keys.fingerprints };
  if (!rules.doubtIsResolvedByLooking) {
    for (const slot of ['key1', 'key2'] as const) {
      const { retire, regenerations } = slots[slot];
      if (retire !== null && regenerations.length > 0 && (next.do === 'wait' || next.do === 'list-keys'))
        return { do: 'record', event: { type: 'KeyRetired', at: NOW, slot, ...retire, proof: 'listed' } };
    }
  }
  if (
    !rules.completionNeedsBothRetired &&
    rotation?.startedFrom != null &&
    (slots.key1.retire === null || slots.key2.retire === null) &&
    next.do !== 'record'
  )
    return { do: 'record', event: { type: 'RotationCompleted', at: NOW, rotationId: rotation.rotationId } };
  if (!rules.healsDrift && next.do === 'record' && next.event.type === 'DriftFound')
    return { do: 'wait', what: { for: 'outage', detail: 'drift, which nobody minds' } };
  if (
    !rules.asksAgainWhenUnanswered &&
    next.do === 'ask-switch' &&
    ring.asked?.generation === published.generation &&
    ring.asked.rotationId === rotation?.rotationId
  )
    return { do: 'wait', what: { for: 'acknowledgements', detail: 'an answer that never comes' } };
  if (!rules.generationsAreNeverReused && next.do === 'publish')
    return { ...next, generation: published.generation + 1 };
  return next;
}
