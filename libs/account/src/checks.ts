// The ordered checks. Each looks at one thing and gives a verdict or passes on; the order is the policy.
import { ask, nextDue, patienceMs } from './due.js';
import type { Observed, OpenRotation } from './observed.js';
import type { Verdict, WaitReason } from './reasons.js';

type Check = (observed: Observed, now: number) => Verdict | null;

const CHECKS: readonly Check[] = [azureKnowsIt, rotatorAnswered, rotationIsOver, outcomeWasHeard, isDue];

/** Does this account need anything now? Always answers. */
export function judge(observed: Observed, now: number): Verdict {
  for (const check of CHECKS) {
    const verdict = check(observed, now);
    if (verdict !== null) return verdict;
  }
  const { at, reason } = nextDue(observed);
  return ask(observed, { at, reason }, reason === 'interval' ? 'interval-over' : 'first-rotation');
}

/** No use asking for what is gone, unread or has no keys: nothing is forgotten, and it is judged when that changes. */
function azureKnowsIt({ presence }: Observed): Verdict | null {
  return presence === 'here' ? null : wait(presence, null);
}

/** The same rotation id again: a rotator that got it after all finds its own rotation and starts no second one. */
function rotatorAnswered(observed: Observed, now: number): Verdict | null {
  const { open } = observed;
  if (open?.standing !== 'asked') return null;
  const until = open.since + patienceMs(open.times);
  if (now < until) return wait('asked', until);
  return ask(observed, { at: open.dueAt, reason: nextDue(observed).reason }, 'unanswered');
}

function rotationIsOver(observed: Observed, now: number): Verdict | null {
  const { open } = observed;
  if (open === null) return null;
  const until = outcomeExpectedBy(open, observed);
  return now < until ? wait(open.standing === 'halted' ? 'halted' : 'rotating', until) : null;
}

/**
 * Events live for a limited time on the bus: a scheduler that was away for longer never hears of a completion.
 * Believing in an open rotation for ever would end the account's rotations in silence, so after a whole interval
 * the rotator, who knows, is asked under a new id. If it really still has one open, it stays at that.
 */
function outcomeWasHeard(observed: Observed): Verdict | null {
  const { open } = observed;
  return open === null
    ? null
    : ask(observed, { at: outcomeExpectedBy(open, observed), reason: 'interval' }, 'outcome-missed');
}

function isDue(observed: Observed, now: number): Verdict | null {
  const { at } = nextDue(observed);
  return now < at ? wait('not-due', at) : null;
}

// Twice the time that an event lives: with an interval of minutes an event may still be on its way.
const EVENTS_ARE_GONE_AFTER_MS = 7_200_000;

function outcomeExpectedBy({ since }: OpenRotation, { schedule }: Observed): number {
  return since + Math.max(schedule.intervalSeconds * 1000, EVENTS_ARE_GONE_AFTER_MS);
}

function wait(why: WaitReason, until: number | null): Verdict {
  return { do: 'wait', why, until };
}
