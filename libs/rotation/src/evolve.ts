// Folds an event into the ring. Total, and blind to who asks: whether an event may happen is decided elsewhere.
import type { KeySlot, RotationId } from '@twinkey/contracts';
import type { RingEvent } from './events.js';
import { lineUp, nextInLine } from './line.js';
import { hasEvidence, stepOf } from './steps.js';
import { beginAnew, FORGOTTEN_REVISIONS } from './incarnation.js';
import { unanswered } from './questions.js';
import { nameOf } from './waiting.js';
import type { Attempt, KeyRing, OpenRotation, SlotRecord } from './key-ring.js';

const FINISHED_KEPT = 20;

export function evolve(ring: KeyRing, event: RingEvent): KeyRing {
  const passed = event.type === 'IncarnationBegan' ? FORGOTTEN_REVISIONS : 1;
  const next = { ...apply(ring, event), revision: ring.revision + passed };
  if (next.rotation === null || stepOf(next) === stepOf(ring)) return next;
  return { ...next, rotation: { ...next.rotation, stepSince: event.at } };
}

function apply(ring: KeyRing, event: RingEvent): KeyRing {
  const next = ring.revision + 1;
  switch (event.type) {
    case 'RotationRequested':
      return lineUp(ring, {
        rotationId: event.rotationId,
        by: event.by,
        reason: event.reason,
        scope: event.scope ?? 'both',
        leaked: event.slot ?? null,
        requestedAt: event.at,
        startedFrom: null,
        waived: [],
        halted: null,
        keysReplaced: 0,
        stepSince: event.at,
      });
    case 'RetirementsRecorded': {
      const { rotationId, retire } = event;
      const asked = (slot: KeySlot): SlotRecord => {
        const fingerprint = retire[slot];
        const record = ring.slots[slot];
        return fingerprint === undefined ? record : { ...record, retire: { fingerprint, rotationId } };
      };
      return {
        ...ring,
        waiting: null,
        rotation: ring.rotation && { ...ring.rotation, startedFrom: event.startedFrom },
        slots: { key1: asked('key1'), key2: asked('key2') },
      };
    }
    case 'RegenerationIntended':
      return {
        // From here on the list may change at any moment.
        ...withSlot(ring, event.slot, (slot) => ({
          ...slot,
          answered: null,
          regeneratedFor: ring.rotation?.rotationId ?? null,
          regeneratedAt: event.at,
          regenerations: [...slot.regenerations, attemptOf(event)],
        })),
        attempts: event.attempt,
        keysFrom: next,
        known: { ...event.before, [event.slot]: null },
      };
    case 'RegenerationAnswered':
      return {
        ...withSlot(ring, event.slot, (slot) => ({
          ...slot,
          regenerations: settledOnly(slot.regenerations, event.attempt),
          answered: { fingerprint: event.after[event.slot], at: event.at },
        })),
        known: event.after,
        waiting: null,
      };
    case 'RegenerationNotExecuted':
      return withSlot(ring, event.slot, (slot) => ({
        ...slot,
        regenerations: settledOnly(slot.regenerations, event.attempt),
      }));
    case 'RegenerationInDoubt':
      return { ...ring, keysFrom: next, waiting: null };
    case 'RegenerationsSettled':
      return {
        ...withSlot(ring, event.slot, (slot) => ({
          ...slot,
          regenerations: slot.regenerations.filter(({ number }) => !event.attempts.includes(number)),
          answered: null,
        })),
        keysFrom: next,
        waiting: null,
      };
    case 'AnswerOverruled':
      // Known from now on: a list that still shows the key of before is a late one, and adopting it would be going back.
      return knowing(
        withSlot(ring, event.slot, (slot) => ({ ...slot, answered: null })),
        { [event.slot]: event.listed },
        event.at,
      );
    case 'KeyRetired':
      return compareAndClear(ring, event);
    case 'PublicationIntended':
      return {
        ...withSlot(ring, event.slot, (slot) => ({
          ...slot,
          publications: [...slot.publications, attemptOf(event)],
        })),
        attempts: event.attempt,
        intent: { slot: event.slot, fingerprint: event.fingerprint, generation: event.generation },
        highestGeneration: Math.max(ring.highestGeneration, event.generation),
        vaultFrom: next,
      };
    case 'Published':
      return {
        ...withSlot(ring, event.slot, (slot) => ({
          ...slot,
          publications:
            event.attempt === null ? slot.publications : settledOnly(slot.publications, event.attempt),
        })),
        published: {
          slot: event.slot,
          fingerprint: event.fingerprint,
          generation: event.generation,
          version: event.version,
          at: event.at,
        },
        highestGeneration: Math.max(ring.highestGeneration, event.generation),
        known: { ...ring.known, [event.slot]: event.fingerprint },
        restored: false,
        intent: null,
        evidence: null,
        drift: null,
        waiting: null,
        vaultFrom: next,
      };
    case 'PublicationNotExecuted':
      return withSlot(ring, event.slot, (slot) => ({
        ...slot,
        publications: settledOnly(slot.publications, event.attempt),
      }));
    case 'PublicationInDoubt':
      return { ...ring, vaultFrom: next, waiting: null };
    case 'PublicationsSettled':
      return {
        ...withSlot(ring, event.slot, (slot) => ({
          ...slot,
          publications: slot.publications.filter(({ number }) => !event.attempts.includes(number)),
        })),
        vaultFrom: next,
        waiting: null,
      };
    case 'SwitchAsked': {
      const { generation, request, rotationId, deadlineAt, waived } = event;
      return {
        ...ring,
        asked: { generation, request, rotationId, deadlineAt, waived, overdue: null },
        waiting: null,
      };
    }
    case 'SwitchConfirmed':
      return {
        ...ring,
        evidence: {
          generation: event.generation,
          rotationId: ring.asked?.rotationId ?? null,
          openFrom: event.openFrom,
          kind: 'acknowledged',
        },
        waiting: null,
      };
    case 'SwitchOverdue':
      return {
        ...ring,
        asked: ring.asked && {
          ...ring.asked,
          overdue: {
            at: event.at,
            missing: event.missing,
            ...(event.openFrom === undefined ? {} : { openFrom: event.openFrom }),
            ...(event.hold === undefined ? {} : { hold: event.hold }),
          },
        },
        waiting: null,
      };
    case 'GateForced':
      return {
        ...ring,
        evidence: {
          generation: event.generation,
          rotationId: ring.rotation?.rotationId ?? null,
          openFrom: event.openFrom,
          kind: 'forced',
        },
        waiting: null,
      };
    case 'DriftFound':
      // Who acknowledged what is void now, so the question is put again even if the drift goes away by itself.
      return { ...ring, drift: event.detail, evidence: null, asked: unanswered(ring) };
    case 'DriftGone':
      return { ...ring, drift: null };
    case 'LookWanted':
      return { ...ring, lookWanted: event.why, keysFrom: next, vaultFrom: next };
    case 'LookDone':
      return { ...ring, lookWanted: null };
    case 'KeysNoted':
      return knowing(ring, event.keys, event.at);
    case 'KeyAdopted':
      return knowing(ring, { [event.slot]: event.fingerprint }, event.at);
    case 'AcknowledgementAhead':
      return {
        ...ring,
        ahead: Math.max(ring.ahead, event.generation),
        highestGeneration: Math.max(ring.highestGeneration, event.generation),
        evidence: null,
        keysFrom: next,
        vaultFrom: next,
      };
    case 'IncarnationBegan':
      return beginAnew(ring, event);
    case 'WaitingFor':
    case 'CareHindered':
      return { ...ring, waiting: nameOf(event) };
    case 'ConsumerWaived':
      return withRotation(ring, event.rotationId, (rotation) => ({
        ...rotation,
        waived: [...new Set([...rotation.waived, event.consumer])],
      }));
    case 'CommandRefused':
      return ring;
    case 'RotationHalted': {
      const { reason, detail, remedy } = event;
      const halted = { reason, detail, remedy };
      return nextInLine(
        withRotation({ ...ring, waiting: null }, event.rotationId, (rotation) => ({ ...rotation, halted })),
      );
    }
    case 'RotationReplayed':
      return nextInLine({
        ...withRotation(ring, event.rotationId, (rotation) => ({ ...rotation, halted: null })),
        // Look at everything again, and give the consumers a new deadline if they had not all answered.
        keysFrom: next,
        vaultFrom: next,
        waiting: null,
        asked: hasEvidence(ring) ? ring.asked : unanswered(ring),
      });
    case 'RotationCompleted':
      return nextInLine({
        ...ring,
        rotation: null,
        waiting: null,
        finished: [event.rotationId, ...ring.finished].slice(0, FINISHED_KEPT),
      });
    default:
      return unknownEvent(event);
  }
}

/** Changes the named rotation, in line or not; the one that is being worked on when none is named. */
function withRotation(
  ring: KeyRing,
  rotationId: RotationId | undefined,
  change: (rotation: OpenRotation) => OpenRotation,
): KeyRing {
  const isMeant = (rotation: OpenRotation) =>
    rotation.rotationId === (rotationId ?? ring.rotation?.rotationId);
  return {
    ...ring,
    rotation: ring.rotation && (isMeant(ring.rotation) ? change(ring.rotation) : ring.rotation),
    inLine: ring.inLine.map((waiting) =>
      isMeant(waiting.rotation) ? { ...waiting, rotation: change(waiting.rotation) } : waiting,
    ),
  };
}

function knowing(ring: KeyRing, keys: Partial<KeyRing['known']>, at: number): KeyRing {
  const since = (slot: KeySlot) => (keys[slot] === undefined ? ring.knownAt[slot] : at);
  return {
    ...ring,
    known: { ...ring.known, ...keys },
    knownAt: { key1: since('key1'), key2: since('key2') },
  };
}

function withSlot(ring: KeyRing, slot: KeySlot, change: (record: SlotRecord) => SlotRecord): KeyRing {
  return { ...ring, slots: { ...ring.slots, [slot]: change(ring.slots[slot]) } };
}

/** A retirement is closed for the key that it named: a newer request about the slot stays. */
function compareAndClear(
  ring: KeyRing,
  { slot, fingerprint }: Extract<RingEvent, { type: 'KeyRetired' }>,
): KeyRing {
  if (ring.slots[slot].retire?.fingerprint !== fingerprint) return ring;
  return {
    ...withSlot(ring, slot, (record) => ({ ...record, retire: null })),
    rotation: ring.rotation && { ...ring.rotation, keysReplaced: ring.rotation.keysReplaced + 1 },
    waiting: null,
  };
}

/** Doubt is sticky: an attempt that ended says nothing of an earlier one, which may still execute. */
function settledOnly(attempts: readonly Attempt[], number: number): readonly Attempt[] {
  return attempts.filter((attempt) => attempt.number !== number);
}

function attemptOf({ attempt, notAfter }: { attempt: number; notAfter: number }): Attempt {
  return { number: attempt, notAfter };
}

function unknownEvent(event: never): never {
  throw new Error(`unknown ring event: ${JSON.stringify(event)}`);
}
