import { entityNotFound, invalidArgument, messageTooLarge, notAllowed, quotaExceeded } from '../errors.js';
import type { Entity } from './entity.js';
import { withMessageId, type Message } from './message.js';
import { normal } from './names.js';
import type { Queue } from './queue.js';

export interface RoutingHost {
  find(address: string): Entity | undefined;
  newId(): string;
}

const MAX_FORWARDS = 4;
const LONGEST_ID = 128;
const BYTES_PER_MEGABYTE = 1_048_576;

export function storeOf(entity: Entity): Queue {
  return entity.kind === 'queue' ? entity.queue : entity.topic.store;
}

/** Where messages go: into a queue, to the subscriptions of a topic, or on to where the entity forwards to. */
export class Routing {
  private forwards = 0;
  /** Queues that forward and have messages. */
  private readonly backlog = new Set<Queue>();
  /** Queues with messages for an entity that does not exist, by its path. */
  private readonly stranded = new Map<string, Set<Queue>>();

  constructor(private readonly host: RoutingHost) {}

  get hasBacklog(): boolean {
    return this.backlog.size > 0;
  }

  get sizes(): Readonly<Record<string, number>> {
    return { backlog: this.backlog.size, stranded: this.stranded.size };
  }

  // What a client sends.
  /** Accepts all messages or none; the number of each. */
  sendAll(entity: Entity, messages: readonly Message[], now: number): number[] {
    const store = storeOf(entity);
    let size = 0;
    for (const message of messages) size += check(store, message);
    if (isFull(store, size))
      throw quotaExceeded(
        `The maximum entity size of ${store.settings.maxSizeInMegabytes} MB has been reached or exceeded for '${store.path}'`,
      );
    return messages.map((message) => this.sendOne(entity, store, message, now));
  }

  private sendOne(entity: Entity, store: Queue, message: Message, now: number): number {
    store.touch(now);
    const identified = withMessageId(message, () => this.host.newId());
    // Reading the id of each message anew is for those queues that compare them.
    const messageId = store.settings.requiresDuplicateDetection ? identified.messageId : undefined;
    const earlier = store.duplicateOf(messageId, now);
    if (earlier !== undefined) return earlier;
    const scheduledFor = identified.annotation('x-opt-scheduled-enqueue-time');
    const sequence =
      scheduledFor instanceof Date && scheduledFor.getTime() > now
        ? store.put(identified, { now, dueAt: scheduledFor.getTime() }).sequence
        : this.accept(entity, identified, now);
    store.rememberId(messageId, now, sequence);
    return sequence;
  }

  /** `firstSequence` is the number at the entity that had the message first. */
  accept(entity: Entity, message: Message, now: number, firstSequence?: number): number {
    return entity.kind === 'topic'
      ? entity.topic.publish(message, now, firstSequence)
      : this.enqueue(entity.queue, message, now, firstSequence);
  }

  /** Into the queue, or on to where it forwards to. The number at this queue. */
  enqueue(queue: Queue, message: Message, now: number, firstSequence?: number): number {
    const { forwardTo } = queue.settings;
    const target = forwardTo === undefined ? undefined : this.target(forwardTo);
    if (target !== undefined) {
      const sequence = queue.nextNumber();
      this.forward(queue, target, message, now, firstSequence ?? sequence);
      return sequence;
    }
    const o = { now, ...(firstSequence !== undefined && { firstSequence }) };
    if (!queue.needsSession || message.sessionId !== undefined)
      return queue.put(queue.limited(message), o).sequence;
    queue.deadLetterNew(
      queue.deadLetters,
      message,
      'Session ID is null.',
      'An entity that requires sessions takes no message without a session id.',
      o,
    );
    return queue.lastSequence;
  }

  // Forwarding.
  /** Queues and topics take forwarded messages; subscriptions and dead letters do not. */
  private target(address: string): Entity | undefined {
    const entity = this.host.find(address);
    return entity?.kind === 'topic' || entity?.queue.role === 'queue' ? entity : undefined;
  }

  private forward(from: Queue, to: Entity, message: Message, now: number, firstSequence: number): void {
    const obstacle = this.obstacle(to, message);
    if (obstacle === undefined) this.arrive(to, message, now, firstSequence);
    else
      from.deadLetterNew(from.transferLetters(), message, obstacle.reason, obstacle.description, {
        now,
        firstSequence,
      });
  }

  private obstacle(to: Entity, message: Message): { reason: string; description: string } | undefined {
    const store = storeOf(to);
    if (this.forwards >= MAX_FORWARDS)
      return {
        reason: 'MaxTransferHopCountExceeded',
        description: `A message is forwarded at most ${MAX_FORWARDS} times; this would have been once more.`,
      };
    if (store.settings.status === 'Disabled' || store.settings.status === 'SendDisabled')
      return { reason: 'TransferDestinationDisabled', description: `'${store.path}' takes no messages.` };
    if (isFull(store, message.size))
      return { reason: 'TransferDestinationQuotaExceeded', description: `'${store.path}' is full.` };
    return undefined;
  }

  private arrive(to: Entity, message: Message, now: number, firstSequence: number): void {
    const store = storeOf(to);
    store.touch(now);
    const { messageId } = message;
    if (store.duplicateOf(messageId, now) !== undefined) return;
    this.forwards++;
    try {
      store.rememberId(messageId, now, this.accept(to, message, now, firstSequence));
    } finally {
      this.forwards--;
    }
  }

  /** False when the dead letter has to stay with its queue. */
  forwardDeadLetter(address: string, message: Message, now: number, firstSequence: number): boolean {
    const to = this.target(address);
    if (to === undefined || this.obstacle(to, message) !== undefined) return false;
    this.arrive(to, message, now, firstSequence);
    return true;
  }

  /** The queue may have messages that are to go on. */
  mayForward(queue: Queue): void {
    if (queue.settings.forwardTo !== undefined && !queue.isDeadLetterQueue && queue.hasReady)
      this.backlog.add(queue);
  }

  /** Messages may have waited for an entity of this path. */
  appeared(path: string): void {
    const queues = this.stranded.get(normal(path));
    this.stranded.delete(normal(path));
    for (const queue of queues ?? []) this.mayForward(queue);
  }

  gone(queue: Queue): void {
    this.backlog.delete(queue);
    for (const [path, queues] of this.stranded)
      if (queues.delete(queue) && queues.size === 0) this.stranded.delete(path);
  }

  forwardBacklog(now: number): void {
    for (const queue of this.backlog) {
      this.backlog.delete(queue);
      const { forwardTo } = queue.settings;
      if (forwardTo === undefined) continue;
      const to = this.target(forwardTo);
      if (to !== undefined) {
        for (let stored = queue.take(now, true); stored !== undefined; stored = queue.take(now, true))
          this.forward(queue, to, stored.message, now, stored.firstSequence);
        continue;
      }
      const path = normal(forwardTo);
      this.stranded.set(path, (this.stranded.get(path) ?? new Set()).add(queue));
    }
  }
}

function isFull(store: Queue, more: number): boolean {
  return store.bytes + more > store.settings.maxSizeInMegabytes * BYTES_PER_MEGABYTE;
}

/** Throws `Refused` when the store must not take the message; its size. */
function check(store: Queue, message: Message): number {
  if (store.isGone) throw entityNotFound(store.path);
  if (store.role !== 'queue' && store.role !== 'topic')
    throw notAllowed('Messages are sent to queues and topics, not to subscriptions or dead-letter queues');
  if (store.needsSession && message.sessionId === undefined)
    throw notAllowed('The session id was not set on a message for an entity that requires sessions');
  const limit = store.settings.maxMessageSizeInKilobytes * 1024;
  if (message.size > limit) throw messageTooLarge(limit);
  const partition = message.annotation('x-opt-partition-key');
  checkId('message id', message.messageId);
  checkId('session id', message.sessionId);
  checkId('partition key', typeof partition === 'string' ? partition : undefined);
  return message.size;
}

function checkId(name: string, id: string | undefined): void {
  if (id !== undefined && id.length > LONGEST_ID)
    throw invalidArgument(`The ${name} has ${id.length} characters; it may have at most ${LONGEST_ID}`);
}
