// Time in the model. It has no clock: the present is always 0, and a moment is either over, or a drain away, or the
// time between two readings of the vault away, or further. `time.ts` lets a moment pass wherever the protocol's
// timing assumptions allow it, in any order, so every clock that keeps the assumptions is covered, and a few more.
import type { Terms as PlanTerms } from '@twinkey/rotation';
import type { Terms as SwitchTerms } from '@twinkey/key-switch';

export const NOW = 0;
/** Whatever began then has been over for longer than any term of the protocol. */
export const LONG_AGO = -1_000_000_000;
/** The last calls of the older key are dead. */
export const DRAINED = 1_000;
/** Whoever lost its lease has looked at the vault again, and its last calls are dead. */
export const REREAD = 101_000;
/** A lease that is held, a deadline that is to come. */
export const FAR = 1_000_000;

export const PLAN_TERMS: Omit<PlanTerms, 'onOverdue' | 'probeTries'> = {
  quiescenceMs: 10_000,
  callDeadlineMs: 1,
  acknowledgeWithinMs: FAR,
  drainMs: DRAINED,
  probePauseMs: 1,
  outcomePatienceMs: 10_000,
};

export const SWITCH_TERMS: SwitchTerms = { leaseSeconds: 1_000, rereadSeconds: 100, clockSkewSeconds: 0 };

/** A moment from which on something may be done, as one of the three that the model tells apart. */
export function roundedUp(moment: number): number {
  if (moment <= NOW) return LONG_AGO;
  return moment <= DRAINED ? DRAINED : REREAD;
}

const SPELLED = new Map<number, string>();

/** As messages spell it. */
export function spelled(moment: number): string {
  const known = SPELLED.get(moment);
  if (known !== undefined) return known;
  const text = new Date(moment).toISOString();
  SPELLED.set(moment, text);
  return text;
}
