import type { Claim, Finding, History } from '../history.js';
import { publicationsIn, replacementsIn, type Publication, type Replacement } from '../timeline.js';

/**
 * What twinkey says it did has happened, once for each time it says so, and what happened during its rotations it also
 * says. (What happened in a rotation that is not over may not have been told yet.)
 */
export function claimsAreEffects({ facts, rotations }: History): readonly Finding[] {
  const replacements = new Set(replacementsIn(facts));
  const publications = new Set(publicationsIn(facts));
  const findings: Finding[] = [];
  for (const { account, claims, id } of rotations) {
    for (const claim of claims) {
      const effect =
        claim.claim === 'retired'
          ? take(replacements, (each) => each.account === account && isReplacementOf(claim, each))
          : take(publications, (each) => each.account === account && isPublicationOf(claim, each));
      if (effect !== undefined) continue;
      const text = `${id} says ${describe(claim)}, and it did not happen`;
      findings.push({ rule: 'claim-without-effect', account, text });
    }
  }
  for (const { account, id, requestedAt, completedAt } of rotations) {
    if (completedAt === null) continue;
    const silent = [...replacements, ...publications].filter(
      (each) => each.account === account && each.at >= requestedAt && each.at <= completedAt,
    );
    for (const each of silent) {
      const what =
        'old' in each ? `${each.slot} was replaced` : `generation ${each.generation} was published`;
      findings.push({
        rule: 'effect-without-claim',
        account,
        text: `${what} during ${id}, which does not say so`,
      });
    }
  }
  return findings;
}

function take<Effect>(from: Set<Effect>, isIt: (effect: Effect) => boolean): Effect | undefined {
  const found = [...from].find(isIt);
  if (found !== undefined) from.delete(found);
  return found;
}

/** A reader is shown the beginning of a fingerprint. */
function isReplacementOf(claim: Claim, { slot, old }: Replacement): boolean {
  return claim.slot === slot && claim.fingerprint.length > 0 && old.startsWith(claim.fingerprint);
}

function isPublicationOf(claim: Claim, { slot, generation, key }: Publication): boolean {
  const isNumber = claim.claim === 'published' && claim.generation === generation;
  return isNumber && claim.slot === slot && claim.fingerprint.length > 0 && key.startsWith(claim.fingerprint);
}

function describe(claim: Claim): string {
  const key = `${claim.slot} (${claim.fingerprint})`;
  return claim.claim === 'retired'
    ? `that ${key} was replaced`
    : `that ${key} was published as ${claim.generation}`;
}
