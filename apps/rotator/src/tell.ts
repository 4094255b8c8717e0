// What people are told of a change in a key ring, and of which rotation; most bookkeeping is silent.
import {
  generation,
  SLOTS,
  stepsOf,
  type Fingerprint,
  type KeySlot,
  type RotationEvent,
  type RotationId,
} from '@twinkey/contracts';
import {
  foresee,
  openRotations,
  stepOf,
  type Foresight,
  type KeyRing,
  type PolicyTerms,
  type RingEvent,
} from '@twinkey/rotation';

type What = RotationEvent['what'];

export interface Told {
  /** null: no rotation has to do with it. */
  readonly rotationId: RotationId | null;
  readonly what: What;
}

/** `terms`: of the account's policy; null: it is not at hand, and nothing is said of replays. */
export function tell(
  before: KeyRing,
  event: RingEvent,
  after: KeyRing,
  terms: PolicyTerms | null,
): readonly Told[] {
  // An account that cannot be cared for is no halt of the rotation that happens to be halted.
  const rotationId = event.type === 'CareHindered' ? null : rotationOf(event, after);
  const facts = factsOf(before, event, after).map((what) => ({
    rotationId,
    what: withForesight(what, rotationId, after, terms),
  }));
  const { done, begun } = stepsBetween(before, event, after);
  const completed = event.type === 'RotationCompleted';
  return [
    ...(completed ? done : facts),
    ...(completed ? facts : done),
    ...waitsForEmergency(before, event, after),
    ...begun,
    ...foreseenAnew(before, after, terms),
  ];
}

function withForesight(
  what: What,
  rotationId: RotationId | null,
  ring: KeyRing,
  terms: PolicyTerms | null,
): What {
  if (what.event !== 'halted' || rotationId === null || terms === null) return what;
  const foresight = foresee(ring, rotationId, terms);
  return foresight === null ? what : { ...what, goesOn: goesOn(foresight) };
}

/** Rotations that were halted before and still are, whose replay would now go on otherwise than was said. */
function foreseenAnew(before: KeyRing, after: KeyRing, terms: PolicyTerms | null): readonly Told[] {
  if (terms === null) return [];
  const halted = (ring: KeyRing) => openRotations(ring).filter((rotation) => rotation.halted !== null);
  const known = halted(before).map(({ rotationId }) => rotationId);
  return halted(after).flatMap(({ rotationId }) => {
    if (!known.includes(rotationId)) return [];
    const [then, now] = [foresee(before, rotationId, terms), foresee(after, rotationId, terms)];
    if (now === null || JSON.stringify(then) === JSON.stringify(now)) return [];
    return [{ rotationId, what: { event: 'foreseen', goesOn: goesOn(now) } }];
  });
}

function goesOn({ step, ...said }: Foresight) {
  return { ...(step === null ? {} : { step }), ...said };
}

/** A step is done only while its rotation stays at work; one that steps back takes its step up again later. */
function stepsBetween(before: KeyRing, event: RingEvent, after: KeyRing) {
  const [from, to] = [stepOf(before), stepOf(after)];
  const [earlier, later] = [before.rotation, after.rotation];
  const turned = earlier !== null && later !== null && earlier.rotationId !== later.rotationId;
  const seconds = Math.max(0, (event.at - (earlier?.stepSince ?? event.at)) / 1_000);
  const told = (rotationId: RotationId | undefined, what: What): Told[] =>
    rotationId === undefined ? [] : [{ rotationId, what }];
  return {
    done:
      from === null || turned || from === to
        ? []
        : told(earlier?.rotationId, { event: 'step-done', step: from, seconds }),
    begun:
      to === null || (from === to && !turned) || later?.halted
        ? []
        : told(later?.rotationId, { event: 'step-started', step: to }),
  };
}

/** Whoever steps back, or has to stand behind, is told for whom. */
function waitsForEmergency(before: KeyRing, event: RingEvent, after: KeyRing): readonly Told[] {
  const first = after.rotation;
  if (first?.scope !== 'emergency') return [];
  const stood = before.rotation;
  const waiting =
    event.type === 'RotationRequested' && event.rotationId !== first.rotationId
      ? event.rotationId
      : event.type === 'RotationRequested' && stood !== null && stood.halted === null
        ? stood.rotationId
        : event.type === 'RotationReplayed' && event.rotationId !== first.rotationId
          ? event.rotationId
          : undefined;
  if (waiting === undefined) return [];
  const detail = `${first.rotationId} goes first: it retires a leaked key`;
  return [{ rotationId: waiting, what: { event: 'waiting', for: 'emergency', detail } }];
}

function rotationOf(event: RingEvent, after: KeyRing): RotationId | null {
  const named = 'rotationId' in event ? event.rotationId : null;
  return named ?? after.rotation?.rotationId ?? null;
}

function factsOf(before: KeyRing, event: RingEvent, after: KeyRing): readonly What[] {
  switch (event.type) {
    case 'RotationRequested':
      return [requested(event, after)];
    case 'Published':
      return [
        ...driftOver(before, 'healed', `published again as generation ${event.generation}`),
        {
          event: 'published',
          slot: event.slot,
          generation: generation(event.generation),
          fingerprint: event.fingerprint,
        },
      ];
    case 'KeyRetired':
      return [
        {
          event: 'retired',
          slot: event.slot,
          fingerprint: event.fingerprint,
          by: wasReplacedByUs(before, event.slot) ? 'twinkey' : 'stranger',
        },
      ];
    case 'DriftFound':
      return [{ event: 'drift', kind: event.kind, detail: event.detail }];
    case 'DriftGone':
      return driftOver(before, 'gone', 'account and vault are as they should be again');
    case 'KeyAdopted': {
      const detail = `someone regenerated ${event.slot}, which nobody uses`;
      return [
        { event: 'drift', kind: 'spare-regenerated', detail },
        { event: 'drift-over', how: 'adopted', detail: `${event.slot} is taken over as it is` },
      ];
    }
    case 'IncarnationBegan':
      return [{ event: 'restored', detail: event.cause }];
    case 'WaitingFor': {
      const { what } = event;
      if (after.rotation === null) return []; // nobody asked for anything that could be waited for
      const until = what.until === undefined ? {} : { until: new Date(what.until).toISOString() };
      return [
        {
          event: 'waiting',
          ...stepIn(after),
          for: what.for,
          detail: what.detail,
          ...until,
        },
      ];
    }
    case 'SwitchConfirmed': {
      const step = stepOf(before);
      if (step === null || event.forced === undefined) return [];
      const detail = `went on without ${event.forced.join(', ')}, as was declared of it`;
      return [{ event: 'forced', step, detail }];
    }
    case 'GateForced': {
      const step = stepOf(before);
      const detail = `went on without ${event.missing.join(', ') || 'any consumer'}`;
      return step === null ? [] : [{ event: 'forced', step, detail }];
    }
    case 'ConsumerWaived':
      return [{ event: 'waived', consumer: event.consumer, by: event.by, reason: event.reason }];
    case 'CommandRefused':
      return [{ event: 'refused', command: event.command, code: event.code, detail: event.detail }];
    case 'RotationHalted': {
      const { reason, detail, remedy, rotationId } = event;
      const atWork = rotationId === undefined || before.rotation?.rotationId === rotationId;
      return [{ event: 'halted', ...(atWork ? stepIn(before) : {}), reason, detail, remedy }];
    }
    case 'CareHindered': {
      const { reason, detail, remedy } = event;
      return [{ event: 'halted', reason, detail, remedy }];
    }
    case 'RotationReplayed': {
      const atWork = event.rotationId === undefined || after.rotation?.rotationId === event.rotationId;
      return [{ event: 'replayed', by: event.by, ...(atWork ? stepIn(after) : {}) }];
    }
    case 'RotationCompleted': {
      const { rotation } = before;
      const seconds = Math.max(0, (event.at - (rotation?.requestedAt ?? event.at)) / 1_000);
      const scope = rotation === null || rotation.scope === 'both' ? {} : { scope: rotation.scope };
      return [{ event: 'completed', seconds, keysReplaced: rotation?.keysReplaced ?? 0, ...scope }];
    }
    default:
      return [];
  }
}

function driftOver({ drift }: KeyRing, how: 'healed' | 'gone', detail: string): What[] {
  return drift === null ? [] : [{ event: 'drift-over', how, detail }];
}

function stepIn(ring: KeyRing) {
  const step = stepOf(ring);
  return step === null ? {} : { step };
}

function requested(
  { reason, by, scope = 'both', slot }: Extract<RingEvent, { type: 'RotationRequested' }>,
  after: KeyRing,
): What {
  const inUse = after.published?.slot ?? 'key2';
  return {
    event: 'requested',
    reason,
    by,
    steps: [...stepsOf(inUse, { scope, slot: slot ?? null })],
    retire: knownKeys(after).filter((key) =>
      scope === 'both' ? true : scope === 'half' ? key.slot !== inUse : key.slot === slot,
    ),
    ...(scope === 'both' ? {} : { scope }),
    ...(slot === undefined ? {} : { slot }),
  };
}

/** Decided since the rotation was asked for: by itself, or by an emergency that went first. */
function wasReplacedByUs({ rotation, slots }: KeyRing, slot: KeySlot): boolean {
  const { regeneratedFor, regeneratedAt = null } = slots[slot];
  if (rotation === null) return false;
  return (
    regeneratedFor === rotation.rotationId ||
    (regeneratedAt !== null && regeneratedAt >= rotation.requestedAt)
  );
}

/** What will be retired, as far as the ring knows it before it looks: which keys they really are is recorded then. */
function knownKeys({ published, slots }: KeyRing): { slot: KeySlot; fingerprint: Fingerprint }[] {
  return SLOTS.flatMap((slot) => {
    const fingerprint = published?.slot === slot ? published.fingerprint : slots[slot].answered?.fingerprint;
    return fingerprint === undefined ? [] : [{ slot, fingerprint }];
  });
}
