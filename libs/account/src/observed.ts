// What the scheduler knows of one account. Moments are milliseconds since 1970.
import type { AccountId, RotationEvent, RotationId } from '@twinkey/contracts';
import type { Schedule } from './policy.js';

/** What Azure said of the account when it was last asked; `unread`: it never answered yet. */
export type Presence = 'here' | 'keys-disabled' | 'gone' | 'unread';

export type OpenRotation = {
  readonly rotationId: RotationId;
  /** When it was last asked for, or when the rotator last spoke of it. */
  readonly since: number;
} & (
  | {
      /** rotation-due was sent `times` times and the rotator has said nothing of it. */
      readonly standing: 'asked';
      readonly dueAt: number;
      readonly times: number;
    }
  | {
      readonly standing: 'under-way' | 'halted';
      /** When the rotator was last asked how it stands, and how often. */
      readonly nudged?: { readonly at: number; readonly times: number };
    }
);

export interface Observed {
  readonly account: AccountId;
  readonly presence: Presence;
  readonly schedule: Schedule;
  readonly firstSeenAt: number;
  readonly lastCompletedAt: number | null;
  readonly open: OpenRotation | null;
  /** The highest sequence among the rotator's events that moved this account; 0: none. */
  readonly heard: number;
}

/**
 * What is known after an event of the rotator. Heard twice or too late it changes nothing, with two exceptions: a
 * completion always sets the clock, and a word about the very rotation that was asked for always counts, even
 * when the sequence started anew (a restored rotator).
 */
export function hear(observed: Observed, event: RotationEvent): Observed {
  const { rotationId, sequence, what } = event;
  if (rotationId === undefined || !concerns(what.event)) return observed;
  const { open, heard, lastCompletedAt } = observed;
  // A rotation of one key leaves the other as old as it was: the account's clock and its open rotation stay.
  const ofOneKey = 'scope' in what && what.scope !== undefined && what.scope !== 'both';
  if (ofOneKey && open?.rotationId !== rotationId) return observed;
  const completed = (what.event === 'completed' && !ofOneKey) || isOver(what);
  const since = Date.parse(event.at);
  // The rotator was asked about a rotation that it had completed long since: that word was lost.
  const over = what.event === 'completed' || isOver(what);
  const answered = open?.rotationId === rotationId && (over || open.standing === 'asked');
  const known = completed
    ? { ...observed, lastCompletedAt: Math.max(lastCompletedAt ?? since, since) }
    : observed;
  if (sequence <= heard && !answered) return known;
  if (what.event === 'refused' && !over) return known;
  const standing = what.event === 'halted' ? 'halted' : 'under-way';
  return {
    ...known,
    heard: Math.max(heard, sequence),
    open: over ? null : { rotationId, since, standing },
  };
}

/** Whether hearing of it can change anything; all else may be dropped unread. */
export function concerns(event: RotationEvent['what']['event']): boolean {
  return (
    event === 'requested' ||
    event === 'replayed' ||
    event === 'halted' ||
    event === 'completed' ||
    event === 'refused'
  );
}

function isOver(what: RotationEvent['what']): boolean {
  return what.event === 'refused' && what.command === 'rotate' && what.code === 'rotation-completed';
}
