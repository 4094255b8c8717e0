// What others hear of a change in a key ring: the messages that are committed together with it.
import { createHash } from 'node:crypto';
import {
  accountName,
  generation,
  RotationEvent,
  SwitchRequested,
  writeMessage,
  type AccountSettings,
  type Message,
} from '@twinkey/contracts';
import type { OutboxMessage } from '@twinkey/journal';
import { termsFor, type KeyRing, type RingEvent } from '@twinkey/rotation';
import { tell, type Told } from './tell.js';
import { policyTerms } from './terms-from.js';

/** At most so many rotation events come of one ring event; it keeps their sequence derivable from the revision. */
const EVENTS_PER_REVISION = 8;

/** The messages of one ring event, in order. Their ids are derived, so that a repeated commit says nothing twice. */
export function announce(
  before: KeyRing,
  event: RingEvent,
  after: KeyRing,
  settings: AccountSettings | null,
): readonly OutboxMessage[] {
  const told = tell(before, event, after, settings && policyTerms(settings.policy)).map((one, index) =>
    rotationEvent(after, event, one, index),
  );
  const asked =
    event.type === 'SwitchAsked' && settings !== null ? [switchRequested(after, event, settings)] : [];
  return [...told, ...asked];
}

function rotationEvent(
  ring: KeyRing,
  event: RingEvent,
  { rotationId, what }: Told,
  index: number,
): OutboxMessage {
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
      onOverdue: termsFor(ring, policyTerms(settings.policy)).onOverdue,
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
