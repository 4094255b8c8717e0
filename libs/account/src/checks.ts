// The ordered checks. Each looks at one thing and gives a verdict or passes on; the order is the policy.
import { ask, nextDue, patienceMs } from './due.js';
import type { Observed, OpenRotation } from './observed.js';
import type { Verdict, WaitReason } from './reasons.js';

type Check = (observed: Observed, now: number) => Verdict | null;

const CHECKS: readonly Check[] = [
  azureKnowsIt,
  rotatorAnswered,
  rotationProgresses,
  rotationIsOver,
  outcomeWasHeard,
  isDue,
];

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

/**
 * A rotation that nothing was heard of for a while may have been forgotten, by a restored database say, or its end
 * was told to nobody. The rotator is asked for the very same one: one that is open is only looked at, one that is
 * over is said to be, one that is unknown begins.
 */
function rotationProgresses(observed: Observed, now: number): Verdict | null {
  const { open } = observed;
  if (open?.standing !== 'under-way') return null;
  if (now < nudgeAt(open) || now >= outcomeExpectedBy(open, observed)) return null;
  const { reason } = nextDue(observed);
  return { do: 'ask', why: 'no-progress', rotationId: open.rotationId, dueAt: open.since, reason };
}

function nudgeAt(open: OpenRotation): number {
  const nudged = open.standing === 'asked' ? undefined : open.nudged;
  return (nudged?.at ?? open.since) + NUDGE_EVERY_MS;
}

function rotationIsOver(observed: Observed, now: number): Verdict | null {
  const { open } = observed;
  if (open === null) return null;
  const until = outcomeExpectedBy(open, observed);
  if (now >= until) return null;
  if (open.standing === 'halted') return wait('halted', until);
  return wait('rotating', Math.min(until, nudgeAt(open)));
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

// Long beside what a rotation of a fleet at rest takes, short beside the day that consumers may take.
const NUDGE_EVERY_MS = 1_800_000;

// Twice the time that an event lives: with an interval of minutes an event may still be on its way.
const EVENTS_ARE_GONE_AFTER_MS = 7_200_000;

function outcomeExpectedBy({ since }: OpenRotation, { schedule }: Observed): number {
  return since + Math.max(schedule.intervalSeconds * 1000, EVENTS_ARE_GONE_AFTER_MS);
}

function wait(why: WaitReason, until: number | null): Verdict {
  return { do: 'wait', why, until };
}
