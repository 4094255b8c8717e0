import * as put from '../service-bus/amqp/put.js';
import { Broker } from '../service-bus/state/broker.js';
import { readMessage, type Message } from '../service-bus/state/message.js';
import type { Queue } from '../service-bus/state/queue.js';
import type { Change, Lock, Stored } from '../service-bus/state/stored.js';

/** A broker with nothing around it: what its specs need. */
export function brokerAlone(note: (change: Change) => void = () => undefined) {
  let token = 0;
  const changes: Change['kind'][] = [];
  const gone: string[] = [];
  const broker = new Broker({
    note: (change) => {
      changes.push(change.kind);
      note(change);
    },
    available: () => undefined,
    gone: (queue) => gone.push(queue.path),
    newToken: () => {
      const bytes = Buffer.alloc(16);
      bytes.writeUInt32BE(++token);
      return bytes;
    },
    newId: () => `made-up-${++token}`,
  });
  const send = (address: string, message: Message, now: number) => {
    const entity = broker.find(address);
    if (entity === undefined) throw new Error(`there is no ${address}`);
    return broker.send(entity, message, now);
  };
  /** The store at an address, of dead letters too. */
  const at = (address: string): Queue => {
    const entity = broker.find(address);
    if (entity === undefined) throw new Error(`there is no ${address}`);
    return entity.kind === 'queue' ? entity.queue : entity.topic.store;
  };
  return { broker, send, at, changes, gone };
}

export interface MessageWish {
  readonly session?: string;
  readonly ttlMs?: number;
  readonly scheduledFor?: number;
  readonly partitionKey?: string;
  readonly bytes?: number;
}

/** A message with an id and whatever else matters. */
export function messageWith(id: string, o: MessageWish = {}): Message {
  // A body of one data section.
  const body = Buffer.alloc(o.bytes ?? 0, 0x61);
  let message = readMessage(
    o.bytes === undefined
      ? body
      : Buffer.concat([Buffer.from([0, 0x53, 0x75]), put.bytesOf(put.binary(body))]),
  ).withProperties({
    messageId: put.string(id),
    ...(o.session !== undefined && { groupId: put.string(o.session) }),
  });
  if (o.ttlMs !== undefined) message = message.withTtl(o.ttlMs);
  const { scheduledFor, partitionKey } = o;
  return message.withAnnotations({
    ...(scheduledFor !== undefined && { 'x-opt-scheduled-enqueue-time': put.timestamp(scheduledFor) }),
    ...(partitionKey !== undefined && { 'x-opt-partition-key': put.string(partitionKey) }),
  });
}

/** The next message, locked. */
export function takeFrom(queue: Queue, now: number): Stored & { lock: Lock } {
  const stored = queue.take(now, false);
  if (stored?.lock === undefined) throw new Error('there is no message');
  return stored as Stored & { lock: Lock };
}

export const idsIn = (queue: Queue | undefined) =>
  [...(queue?.messages.values() ?? [])].map((each) => each.message.messageId);

export const reasonsIn = (queue: Queue | undefined) =>
  [...(queue?.messages.values() ?? [])].map((each) =>
    each.message.applicationProperties.get('DeadLetterReason'),
  );
