import { placeOf, rotationIdOf } from './digest.js';
import type { Observed } from './observed.js';
import type { Ask } from './reasons.js';

export interface Due {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly reason: 'interval' | 'first-rotation';
}

/**
 * When the next rotation is due. It follows from facts that do not move while a rotation is open (first seen,
 * last completed), so it can be derived again at any time, and the rotation's id with it.
 */
export function nextDue(observed: Observed): Due {
  const { schedule, account, firstSeenAt, lastCompletedAt } = observed;
  const interval = schedule.intervalSeconds * 1000;
  if (lastCompletedAt !== null) return { at: lastCompletedAt + interval, reason: 'interval' };
  const spread = Math.floor(placeOf(account) * schedule.spreadSeconds) * 1000;
  const from = schedule.firstRotation === 'now' ? firstSeenAt : firstSeenAt + interval;
  return { at: from + spread, reason: 'first-rotation' };
}

// A rotator that is up answers within seconds; two minutes are no news worth repeating oneself for. Doubling to
// an hour keeps a long outage quiet, and an hour is also how long an unread message may live.
const FIRST_PATIENCE_MS = 120_000;
const LONGEST_PATIENCE_MS = 3_600_000;

/** How long to wait for a word of the rotator after having asked `times` times. */
export function patienceMs(times: number): number {
  return Math.min(FIRST_PATIENCE_MS * 2 ** Math.max(0, times - 1), LONGEST_PATIENCE_MS);
}

/** What is known once rotation-due is on its way. */
export function asked(observed: Observed, { rotationId, dueAt, why }: Ask, now: number): Observed {
  const { open } = observed;
  if (why === 'no-progress' && open !== null && open.standing !== 'asked') {
    return { ...observed, open: { ...open, nudged: { at: now, times: (open.nudged?.times ?? 0) + 1 } } };
  }
  const before = open?.standing === 'asked' && open.rotationId === rotationId ? open.times : 0;
  return { ...observed, open: { rotationId, standing: 'asked', dueAt, times: before + 1, since: now } };
}

export function ask(observed: Observed, due: Due, why: Ask['why']): Ask {
  return {
    do: 'ask',
    why,
    rotationId: rotationIdOf(observed.account, due.at),
    dueAt: due.at,
    reason: due.reason,
  };
}
