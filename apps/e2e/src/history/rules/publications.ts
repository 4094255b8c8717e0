import type { Finding, History } from '../history.js';
import { keysAt, publicationsIn, type Publication } from '../timeline.js';

/**
 * The generations of an account's publications rise, and none is used again. What is published is a key of the account at
 * that moment, of the slot and with the fingerprint that its tags name.
 */
export function publicationsAreTrue({ facts }: History): readonly Finding[] {
  const highest = new Map<string, number>();
  return publicationsIn(facts).flatMap((publication) => {
    const { account, generation, place, version } = publication;
    const found = (rule: string, text: string) => ({ rule, account, text: `version ${version} ${text}` });
    const findings: Finding[] = [];
    const last = highest.get(account) ?? 0;
    if (!(generation > last))
      findings.push(found('generation-order', `is generation ${generation} after ${last}`));
    highest.set(account, Math.max(last, Number.isNaN(generation) ? last : generation));
    const keys = keysAt(facts, account, place);
    const slot = slotOf(publication, keys);
    if (slot === undefined) findings.push(found('dead-publication', 'holds no key that its account accepts'));
    else if (slot !== publication.slot)
      findings.push(found('untrue-tags', `says ${publication.slot} and holds ${slot}`));
    if (publication.fingerprint !== publication.key)
      findings.push(found('untrue-tags', `says ${publication.fingerprint} and holds ${publication.key}`));
    return findings;
  });
}

/** The version that consumers read is never disabled. */
export function currentStaysEnabled({ facts }: History): readonly Finding[] {
  const current = new Map<string, string>();
  const findings: Finding[] = [];
  for (const fact of facts) {
    if (fact.fact === 'current') current.set(fact.secret, fact.version);
    if (fact.fact !== 'version' || fact.enabled || current.get(fact.secret) !== fact.version) continue;
    const text = `version ${fact.version} was disabled while it was the current one`;
    findings.push({ rule: 'current-disabled', account: fact.secret, text });
  }
  return findings;
}

function slotOf(
  { key }: Publication,
  keys: { readonly key1: string; readonly key2: string } | undefined,
): string | undefined {
  if (keys?.key1 === key) return 'key1';
  return keys?.key2 === key ? 'key2' : undefined;
}
