// What people, the scheduler and the notifier may tell a ring. Each input only changes what the plan will see;
// none is an order to act, so a doubled, late or replayed one does no harm.
import {
  type KeySlot,
  type MissingInstance,
  type RotationCommand,
  type RotationId,
  type RotationScope,
  type SwitchOutcome,
} from '@twinkey/contracts';
import type { RingEvent } from './events.js';
import type { KeyRing } from './key-ring.js';
import { knows } from './plan.js';

/** Why an input changes nothing. `late` ones are the daily bread of messaging and nobody needs to hear of them. */
export type RefusalCode =
  | 'rotation-running'
  | 'rotation-halted'
  | 'rotation-completed'
  | 'rotation-unknown'
  | 'late-outcome'
  | 'already-requested';

export type Decision =
  | { readonly accepted: true; readonly events: readonly RingEvent[] }
  | { readonly accepted: false; readonly code: RefusalCode; readonly detail: string };

export interface RotationRequest {
  readonly rotationId: RotationId;
  readonly by: string;
  readonly reason: string;
  /** Absent: both. */
  readonly scope?: RotationScope | undefined;
  /** The slot that leaked, in an emergency. */
  readonly slot?: KeySlot | undefined;
}

/**
 * A new rotation: one at a time, and a request that was already served changes nothing. An emergency is never turned
 * away: whatever is open steps back until the leaked key is dead.
 */
export function decideRequest(
  ring: KeyRing,
  { rotationId, by, reason, scope = 'both', slot }: RotationRequest,
  now: number,
): Decision {
  const known = knows(ring, rotationId);
  if (known === 'finished')
    return refuse('rotation-completed', `Rotation ${rotationId} is already completed.`);
  if (known !== 'unknown') return refuse('already-requested', `Rotation ${rotationId} is already open.`);
  if (ring.rotation !== null && scope !== 'emergency') {
    const { rotationId: open, halted } = ring.rotation;
    return halted === null
      ? refuse('rotation-running', `Rotation ${open} of this account is running.`)
      : refuse(
          'rotation-halted',
          `Rotation ${open} of this account is halted (${halted.reason}); replay that one.`,
        );
  }
  const what = { ...(scope === 'both' ? {} : { scope }), ...(slot === undefined ? {} : { slot }) };
  return accept({ type: 'RotationRequested', at: now, rotationId, by, reason, ...what });
}

/** Replay, halt and waive. Asking for a rotation goes through {@link decideRequest}. */
export function decideCommand(
  ring: KeyRing,
  command: Exclude<RotationCommand, { command: 'rotate' }>,
  now: number,
): Decision {
  const { rotationId, by } = command;
  const known = knows(ring, rotationId);
  if (known === 'unknown')
    return refuse('rotation-unknown', `Rotation ${rotationId} is not known for this account.`);
  if (known === 'finished')
    return refuse('rotation-completed', `Rotation ${rotationId} is completed; nothing is left to do.`);
  switch (command.command) {
    case 'replay':
      if (known === 'open')
        return refuse('rotation-running', `Rotation ${rotationId} is running; it needs no replay.`);
      return accept({ type: 'RotationReplayed', at: now, by, rotationId });
    case 'halt':
      if (known === 'halted') return refuse('rotation-halted', `Rotation ${rotationId} is halted already.`);
      return accept({
        type: 'RotationHalted',
        at: now,
        reason: 'operator',
        detail: `${by} halted it${command.reason === undefined ? '' : `: ${command.reason}`}. Both keys keep working.`,
        remedy: 'Replay the rotation when it may go on.',
        rotationId,
      });
    case 'waive':
      return accept({
        type: 'ConsumerWaived',
        at: now,
        consumer: command.consumer,
        by,
        reason: command.reason,
        rotationId,
      });
    default:
      throw new Error('unknown command');
  }
}

/** The notifier's answer counts only for the question asked last: same generation, same request. */
export function decideOutcome(ring: KeyRing, outcome: SwitchOutcome, now: number): Decision {
  const { asked, published } = ring;
  const current =
    asked !== null &&
    published?.generation === Number(outcome.generation) &&
    asked.generation === Number(outcome.generation);
  if (!current || asked.request !== outcome.request) {
    return refuse(
      'late-outcome',
      `The outcome speaks of generation ${outcome.generation}, request ${outcome.request}; that is no longer the question.`,
    );
  }
  const { request } = outcome;
  if (outcome.outcome === 'acknowledged') {
    const openFrom = outcome.openFrom === undefined ? now : Date.parse(outcome.openFrom);
    return accept({
      type: 'SwitchConfirmed',
      at: now,
      generation: outcome.generation,
      request,
      openFrom,
      instances: outcome.instances,
      ...(outcome.forced === undefined ? {} : { forced: outcome.forced }),
    });
  }
  if (asked.overdue !== null) return refuse('late-outcome', 'The switch is already known to be overdue.');
  return accept({
    type: 'SwitchOverdue',
    at: now,
    generation: outcome.generation,
    request,
    missing: outcome.missing.map(nameOf),
    ...(outcome.openFrom === undefined ? {} : { openFrom: Date.parse(outcome.openFrom) }),
    ...(outcome.hold === true ? { hold: true } : {}),
  });
}

/** Somebody saw a sign of a change by hand: everything outside is looked at, and nothing is believed of the sign. */
export function decideLook(ring: KeyRing, why: string, now: number): Decision {
  return ring.published === null ? accept() : accept({ type: 'LookWanted', at: now, why });
}

/**
 * An instance uses a generation that was never published as far as the ring knows. Only if not even an intent has
 * that number is it drift: an instance may read the vault before the notifier hears of the publication.
 */
export function decideAhead(
  ring: KeyRing,
  { generation, who }: { generation: number; who: string },
  now: number,
): Decision {
  return generation <= ring.highestGeneration
    ? accept()
    : accept({ type: 'AcknowledgementAhead', at: now, generation, who });
}

/** Who is missing, for people: with the reason that its application gave, or how many of it are there. */
function nameOf({ consumer, instance, live, minimum, refusal }: MissingInstance): string {
  if (instance !== undefined) {
    return `${consumer}/${instance}${refusal === undefined ? '' : ` (it refuses: ${refusal})`}`;
  }
  return minimum === undefined ? consumer : `${consumer} (${live ?? 0} of at least ${minimum} instances)`;
}

function accept(...events: readonly RingEvent[]): Decision {
  return { accepted: true, events };
}

function refuse(code: RefusalCode, detail: string): Decision {
  return { accepted: false, code, detail };
}
