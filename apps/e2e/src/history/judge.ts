// Judges a history: whatever happened to the processes, these things must be true of it. Nothing here is shared with
// twinkey, so that a mistake in its rules is not repeated by the one who looks for it.
import type { Finding, History } from './history.js';
import { noKeyInUseIsReplaced, nobodyIsRefused } from './rules/calls.js';
import { claimsAreEffects } from './rules/claims.js';
import { everyRotationEnds } from './rules/ends.js';
import { currentStaysEnabled, publicationsAreTrue } from './rules/publications.js';
import { eachDueKeyOnce, nothingSentTwice } from './rules/regenerations.js';

const RULES = [
  nobodyIsRefused,
  noKeyInUseIsReplaced,
  eachDueKeyOnce,
  nothingSentTwice,
  publicationsAreTrue,
  currentStaysEnabled,
  claimsAreEffects,
  everyRotationEnds,
] as const;

/** Everything that must not have happened; nothing is what everybody hopes for. */
export function judge(history: History): readonly Finding[] {
  return RULES.flatMap((rule) => rule(history));
}
