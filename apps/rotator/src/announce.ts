// What others hear of a change in a key ring: the messages that are committed together with it.
import { createHash } from 'node:crypto';
import {
  accountName,
  generation,
  RotationEvent,
  SLOTS,
  stepsFrom,
  SwitchRequested,
  writeMessage,
  type AccountSettings,
  type Fingerprint,
  type KeySlot,
  type Message,
} from '@twinkey/contracts';
import type { OutboxMessage } from '@twinkey/journal';
import { stepOf, type KeyRing, type RingEvent } from '@twinkey/rotation';

type What = RotationEvent['what'];

/** At most so many rotation events come of one ring event; it keeps their sequence derivable from the revision. */
const EVENTS_PER_REVISION = 4;

/** The messages of one ring event, in order. Their ids are derived, so that a repeated commit says nothing twice. */
export function announce(
  before: KeyRing,
  event: RingEvent,
  after: KeyRing,
  settings: AccountSettings | null,
): readonly OutboxMessage[] {
  const told = tell(before, event, after).map((what, index) => rotationEvent(after, event, what, index));
  const asked =
    event.type === 'SwitchAsked' && settings !== null ? [switchRequested(after, event, settings)] : [];
  return [...told, ...asked];
}

/** What people are told; most bookkeeping is silent. */
function tell(before: KeyRing, event: RingEvent, after: KeyRing): readonly What[] {
  const facts = factsOf(before, event, after);
  const from = stepOf(before);
  const to = stepOf(after);
  if (from === to) return facts;
  const seconds = Math.max(0, (event.at - (before.rotation?.stepSince ?? event.at)) / 1_000);
  const steps: What[] = [];
  if (from !== null) steps.push({ event: 'step-done', step: from, seconds });
  if (to !== null) steps.push({ event: 'step-started', step: to });
  return event.type === 'RotationCompleted' ? [...steps, ...facts] : [...facts, ...steps];
}

function factsOf(before: KeyRing, event: RingEvent, after: KeyRing): readonly What[] {
  switch (event.type) {
    case 'RotationRequested': {
      const steps = [...stepsFrom(after.published?.slot ?? 'key2')];
      return [{ event: 'requested', reason: event.reason, by: event.by, steps, retire: knownKeys(after) }];
    }
    case 'Published':
      return [
        {
          event: 'published',
          slot: event.slot,
          generation: generation(event.generation),
          fingerprint: event.fingerprint,
        },
      ];
    case 'KeyRetired': {
      const by = before.slots[event.slot].regeneratedFor === event.rotationId ? 'twinkey' : 'stranger';
      return [{ event: 'retired', slot: event.slot, fingerprint: event.fingerprint, by }];
    }
    case 'DriftFound':
      return [{ event: 'drift', kind: event.kind, detail: event.detail }];
    case 'WaitingFor': {
      const step = stepOf(after);
      const { what } = event;
      if (after.rotation === null) return []; // nobody asked for anything that could be waited for
      const until = what.until === undefined ? {} : { until: new Date(what.until).toISOString() };
      return [
        {
          event: 'waiting',
          ...(step === null ? {} : { step }),
          for: what.for,
          detail: what.detail,
          ...until,
        },
      ];
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
      const step = stepOf(before);
      const { reason, detail, remedy } = event;
      return [{ event: 'halted', ...(step === null ? {} : { step }), reason, detail, remedy }];
    }
    case 'CareHindered': {
      const { reason, detail, remedy } = event;
      return [{ event: 'halted', reason, detail, remedy }];
    }
    case 'RotationReplayed': {
      const step = stepOf(after);
      return [{ event: 'replayed', by: event.by, ...(step === null ? {} : { step }) }];
    }
    case 'RotationCompleted': {
      const { rotation } = before;
      const seconds = Math.max(0, (event.at - (rotation?.requestedAt ?? event.at)) / 1_000);
      return [{ event: 'completed', seconds, keysReplaced: rotation?.keysReplaced ?? 0 }];
    }
    default:
      return [];
  }
}

/** What will be retired, as far as the ring knows it before it looks: which keys they really are is recorded then. */
function knownKeys({ published, slots }: KeyRing): { slot: KeySlot; fingerprint: Fingerprint }[] {
  return SLOTS.flatMap((slot) => {
    const fingerprint = published?.slot === slot ? published.fingerprint : slots[slot].answered?.fingerprint;
    return fingerprint === undefined ? [] : [{ slot, fingerprint }];
  });
}

function rotationEvent(ring: KeyRing, event: RingEvent, what: What, index: number): OutboxMessage {
  const rotationId = rotationOf(event, ring);
  const sequence = ring.revision * EVENTS_PER_REVISION + index;
  const message = writeMessage(RotationEvent, {
    id: `event.${digest(ring.account)}.${sequence}`,
    source: 'twinkey/rotator',
    subject: accountName(ring.account),
    time: new Date(event.at),
    data: {
      account: ring.account,
      ...(rotationId === null ? {} : { rotationId }),
      sequence,
      at: new Date(event.at).toISOString(),
      what,
    },
  });
  return outgoing(RotationEvent.entity, message, ring);
}

function rotationOf(event: RingEvent, ring: KeyRing): RotationEvent['rotationId'] | null {
  if ('rotationId' in event && event.rotationId !== null) return event.rotationId;
  return ring.rotation?.rotationId ?? null;
}

function switchRequested(
  ring: KeyRing,
  asked: Extract<RingEvent, { type: 'SwitchAsked' }>,
  settings: AccountSettings,
): OutboxMessage {
  const { published } = ring;
  if (published === null) throw new Error('a switch was asked for although nothing is published');
  const message = writeMessage(SwitchRequested, {
    id: `switch.${digest(ring.account)}.${asked.generation}.${asked.request}`,
    source: 'twinkey/rotator',
    subject: accountName(ring.account),
    time: new Date(asked.at),
    data: {
      account: ring.account,
      ...(asked.rotationId === null ? {} : { rotationId: asked.rotationId }),
      generation: generation(asked.generation),
      request: asked.request,
      slot: published.slot,
      fingerprint: published.fingerprint,
      secret: { ...settings.secret, version: published.version },
      publishedAt: new Date(published.at).toISOString(),
      deadlineAt: new Date(asked.deadlineAt).toISOString(),
      drainSeconds: settings.policy.drainSeconds,
      withoutConsumers: settings.policy.withoutConsumers,
      waived: [...asked.waived],
    },
  });
  return outgoing(SwitchRequested.entity, message, ring);
}

function outgoing(entity: string, message: Message<unknown>, ring: KeyRing): OutboxMessage {
  return {
    id: message.id,
    entity,
    subject: accountName(ring.account),
    body: message,
    orderKey: ring.account,
  };
}

/** Account ids are too long for a message id. */
function digest(account: string): string {
  return createHash('sha256').update(account).digest('hex').slice(0, 20);
}
