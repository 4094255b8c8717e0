import {
  queueDefaults,
  topicDefaults,
  type EntityRecord,
  type QueueSettings,
  type TopicSettings,
} from './entity.js';
import { entityExists, entityNotFound, invalidArgument, notAllowed, quotaExceeded } from '../errors.js';
import { IdleWatch } from './idle.js';
import { withMessageId, type Message } from './message.js';
import { Queue, type QueueHost } from './queue.js';
import { DEFAULT_RULE_NAME, everything, type Rule } from './rules/rule.js';
import type { Change, Stored } from './stored.js';
import { Subscription, Topic } from './topic.js';

export interface BrokerHost {
  note(change: Change): void;
  available(queue: Queue): void;
  /** Queues that are no more: whoever is attached must hear of it. */
  gone(queue: Queue): void;
  newToken(): Buffer;
  newId(): string;
}

export type Entity = { kind: 'queue'; queue: Queue } | { kind: 'topic'; topic: Topic };

const DEAD_LETTERS = '/$deadletterqueue';
const MAX_FORWARDS = 4;
const NAME = /^[A-Za-z0-9$._\-/~ ]{1,260}$/;

/**
 * All entities of a namespace and what time does to them. Pure: it knows neither sockets nor files nor the clock.
 * Addresses are compared without regard to case.
 */
export class Broker implements QueueHost {
  private readonly queues = new Map<string, Queue>();
  private readonly topics = new Map<string, Topic>();
  private readonly idle = new IdleWatch();
  private nextId = 1;
  private due = Infinity;
  private forwards = 0;

  constructor(private readonly host: BrokerHost) {}

  // What queues ask of their surroundings.
  note(change: Change): void {
    this.host.note(change);
  }

  available(queue: Queue): void {
    this.host.available(queue);
  }

  dueAt(at: number): void {
    if (at < this.due) this.due = at;
  }

  newToken(): Buffer {
    return this.host.newToken();
  }

  forward(address: string, message: Message, from: Stored, now: number): boolean {
    return this.forwardNew(address, message, now, from.firstSequence);
  }

  /** False when the address leads nowhere or in a circle; the message then stays where it was. */
  forwardNew(address: string, message: Message, now: number, firstSequence?: number): boolean {
    const entity = this.find(address);
    if (entity === undefined || this.forwards >= MAX_FORWARDS) return false;
    this.forwards++;
    try {
      if (entity.kind === 'topic') entity.topic.publish(message, now, firstSequence);
      else this.enqueue(entity.queue, message, now, firstSequence);
    } finally {
      this.forwards--;
    }
    return true;
  }

  private enqueue(queue: Queue, message: Message, now: number, firstSequence?: number): number {
    const { forwardTo } = queue.settings;
    if (forwardTo !== undefined && this.forwardNew(forwardTo, message, now, firstSequence))
      return ++queue.lastSequence;
    return queue.put(message, { now, ...(firstSequence !== undefined && { firstSequence }) }).sequence;
  }

  // Entities.
  find(address: string): Entity | undefined {
    const path = normal(address);
    const queue = this.queues.get(path);
    if (queue !== undefined) return { kind: 'queue', queue };
    const topic = this.topics.get(path);
    if (topic !== undefined) return { kind: 'topic', topic };
    if (path.endsWith(DEAD_LETTERS)) {
      const owner = this.find(path.slice(0, -DEAD_LETTERS.length));
      const letters = owner?.kind === 'queue' ? owner.queue.deadLetters : undefined;
      return letters && { kind: 'queue', queue: letters };
    }
    const subscription = this.subscription(path);
    return subscription && { kind: 'queue', queue: subscription.queue };
  }

  subscription(address: string): Subscription | undefined {
    const match = /^(.+)\/subscriptions\/([^/]+)$/.exec(normal(address));
    return match === null ? undefined : this.topics.get(match[1] ?? '')?.subscriptions.get(match[2] ?? '');
  }

  get allQueues(): readonly Queue[] {
    return [...this.queues.values()].sort(byPath);
  }

  get allTopics(): readonly Topic[] {
    return [...this.topics.values()].sort(byPath);
  }

  private newStores(path: string, settings: QueueSettings, now: number, id = this.nextId): Queue {
    this.nextId = Math.max(this.nextId, id + 2);
    const queue = new Queue(id, path, settings, this, now);
    queue.deadLetters = new Queue(
      id + 1,
      `${path}/$DeadLetterQueue`,
      { ...settings, requiresSession: false, requiresDuplicateDetection: false, forwardTo: undefined },
      this,
      now,
    );
    return queue;
  }

  private checkFree(path: string): void {
    if (!NAME.test(path) || path.startsWith('$'))
      throw invalidArgument(`'${path}' is not a valid name of an entity`);
    if (this.queues.has(normal(path)) || this.topics.has(normal(path))) throw entityExists(path);
  }

  createQueue(path: string, settings: Partial<QueueSettings>, now: number): Queue {
    this.checkFree(path);
    const queue = this.addQueue(path, { ...queueDefaults, ...settings }, now);
    this.noteEntity(path);
    return queue;
  }

  private addQueue(path: string, settings: QueueSettings, now: number, id?: number): Queue {
    const queue = this.newStores(path, settings, now, id);
    this.queues.set(normal(path), queue);
    this.idle.watch(queue);
    return queue;
  }

  createTopic(path: string, settings: Partial<TopicSettings>, now: number): Topic {
    this.checkFree(path);
    const topic = this.addTopic(path, { ...topicDefaults, ...settings }, now);
    this.noteEntity(path);
    return topic;
  }

  private addTopic(path: string, settings: TopicSettings, now: number, id = this.nextId): Topic {
    this.nextId = Math.max(this.nextId, id + 2);
    const store = new Queue(id, path, storeSettings(settings), this, now);
    const topic = new Topic(path, settings, store, this);
    this.topics.set(normal(path), topic);
    return topic;
  }

  createSubscription(
    topicPath: string,
    name: string,
    settings: Partial<QueueSettings>,
    rule: Omit<Rule, 'createdAt'> | undefined,
    now: number,
  ): Subscription {
    const topic = this.topics.get(normal(topicPath));
    if (topic === undefined) throw entityNotFound(topicPath);
    const path = `${topic.path}/Subscriptions/${name}`;
    if (!NAME.test(name) || name.includes('/') || name.length > 50)
      throw invalidArgument(`'${name}' is not a valid name of a subscription`);
    if (topic.subscriptions.has(name.toLowerCase())) throw entityExists(path);
    if (topic.subscriptions.size >= 2000) throw quotaExceeded('A topic has at most 2,000 subscriptions');
    const first = { ...(rule ?? { name: DEFAULT_RULE_NAME, filter: everything }), createdAt: now };
    const subscription = this.addSubscription(path, { ...queueDefaults, ...settings }, [first], now);
    this.noteEntity(path);
    return subscription;
  }

  private addSubscription(
    path: string,
    settings: QueueSettings,
    rules: readonly Rule[],
    now: number,
    id?: number,
  ): Subscription {
    const cut = path.lastIndexOf('/');
    const name = path.slice(cut + 1);
    const topic = this.topics.get(normal(path.slice(0, cut - '/subscriptions'.length)));
    if (topic === undefined) throw entityNotFound(path);
    const subscription = new Subscription(name, this.newStores(path, settings, now, id), rules);
    topic.subscriptions.set(name.toLowerCase(), subscription);
    this.idle.watch(subscription.queue);
    return subscription;
  }

  updateQueue(queue: Queue, settings: QueueSettings, now: number): void {
    if (settings.requiresSession !== queue.settings.requiresSession)
      throw notAllowed('Whether a queue or subscription requires sessions cannot be changed');
    if (settings.requiresDuplicateDetection !== queue.settings.requiresDuplicateDetection)
      throw notAllowed('Whether an entity detects duplicates cannot be changed');
    queue.settings = settings;
    queue.touchedAt = now;
    this.idle.watch(queue);
    this.noteEntity(queue.path);
  }

  updateTopic(topic: Topic, settings: TopicSettings): void {
    topic.settings = settings;
    topic.store.settings = storeSettings(settings);
    this.noteEntity(topic.path);
  }

  /** After a change of a subscription's rules. */
  noteEntity(path: string): void {
    this.host.note({ kind: 'entity', path });
  }

  delete(address: string): void {
    if (!this.forget(address)) throw entityNotFound(address);
    this.host.note({ kind: 'entity-gone', path: address });
  }

  private forget(address: string): boolean {
    const path = normal(address);
    const queue = this.queues.get(path);
    if (queue !== undefined) {
      this.queues.delete(path);
      this.discard(queue);
      return true;
    }
    const topic = this.topics.get(path);
    if (topic !== undefined) {
      this.topics.delete(path);
      for (const { queue: each } of topic.subscriptions.values()) this.discard(each);
      this.discard(topic.store);
      return true;
    }
    const subscription = this.subscription(path);
    if (subscription === undefined) return false;
    const owner = this.topics.get(path.slice(0, path.lastIndexOf('/subscriptions/')));
    owner?.subscriptions.delete(subscription.name.toLowerCase());
    this.discard(subscription.queue);
    return true;
  }

  private discard(queue: Queue): void {
    this.idle.forget(queue);
    this.host.gone(queue);
    if (queue.deadLetters !== undefined) this.host.gone(queue.deadLetters);
  }

  // Messages.
  /** Accepts a message; the number it got. A message that is scheduled waits until its time. */
  send(entity: Entity, message: Message, now: number): number {
    const store = entity.kind === 'queue' ? entity.queue : entity.topic.store;
    if (entity.kind === 'queue') {
      if (store.settings.requiresSession && message.sessionId === undefined)
        throw notAllowed('The session id was not set on a message for an entity that requires sessions');
      store.touchedAt = now;
    }
    const identified = withMessageId(message, () => this.host.newId());
    if (!store.isNew(identified.messageId, now)) return store.lastSequence;
    const scheduledFor = identified.annotation('x-opt-scheduled-enqueue-time');
    if (scheduledFor instanceof Date && scheduledFor.getTime() > now)
      return store.put(identified, { now, dueAt: scheduledFor.getTime() }).sequence;
    return entity.kind === 'queue'
      ? this.enqueue(entity.queue, identified, now)
      : entity.topic.publish(identified, now);
  }

  // Time.
  get nextDue(): number {
    return Math.min(this.due, this.idle.nextDue);
  }

  advance(now: number): void {
    for (const queue of this.idle.take(now)) this.delete(queue.path);
    if (now < this.due) return;
    this.due = Infinity;
    const stores = this.stores();
    for (const store of stores) store.advance(now);
    for (const store of stores) this.dueAt(store.nextDue);
  }

  /** Every store of messages there is. */
  stores(): Queue[] {
    const subscriptions = [...this.topics.values()].flatMap((topic) => [
      topic.store,
      ...[...topic.subscriptions.values()].map(({ queue }) => queue),
    ]);
    const main = [...this.queues.values(), ...subscriptions];
    return main.flatMap((queue) => (queue.deadLetters === undefined ? [queue] : [queue, queue.deadLetters]));
  }

  // Restart.
  /** Of all entities, topics before their subscriptions. */
  paths(): string[] {
    const topics = [...this.topics.values()];
    return [
      ...[...this.queues.values()].map(({ path }) => path),
      ...topics.map(({ path }) => path),
      ...topics.flatMap(({ subscriptions }) => [...subscriptions.values()].map(({ queue }) => queue.path)),
    ];
  }

  record(path: string): EntityRecord | undefined {
    const subscription = this.subscription(path);
    if (subscription !== undefined) {
      const { queue } = subscription;
      const { id, settings, createdAt } = queue;
      return {
        kind: 'subscription',
        id,
        path: queue.path,
        createdAt,
        settings,
        rules: subscription.listRules(),
      };
    }
    const entity = this.find(path);
    if (entity === undefined) return undefined;
    if (entity.kind === 'topic') {
      const { settings, createdAt, store } = entity.topic;
      return { kind: 'topic', id: store.id, path: entity.topic.path, createdAt, settings };
    }
    const { id, settings, createdAt } = entity.queue;
    return { kind: 'queue', id, path: entity.queue.path, createdAt, settings };
  }

  /** Takes an entity from the journal: a new one, or the new settings of one that exists. */
  restore(record: EntityRecord, now: number): void {
    const existing = this.find(record.path);
    if (record.kind === 'topic') {
      if (existing?.kind === 'topic') {
        existing.topic.settings = record.settings;
        existing.topic.store.settings = storeSettings(record.settings);
      } else this.addTopic(record.path, record.settings, record.createdAt, record.id);
      return;
    }
    const queue = existing?.kind === 'queue' ? existing.queue : this.restoreQueue(record);
    queue.settings = record.settings;
    // Nobody could use it while the broker was down.
    queue.touchedAt = now;
    this.idle.watch(queue);
    if (record.kind === 'subscription' && existing !== undefined) {
      const subscription = this.subscription(record.path);
      subscription?.rules.clear();
      for (const rule of record.rules) subscription?.addRule(rule);
    }
  }

  private restoreQueue(record: Exclude<EntityRecord, { kind: 'topic' }>): Queue {
    const { path, settings, createdAt, id } = record;
    return record.kind === 'queue'
      ? this.addQueue(path, settings, createdAt, id)
      : this.addSubscription(path, settings, record.rules, createdAt, id).queue;
  }

  restoreGone(path: string): void {
    this.forget(path);
  }
}

/** A topic's own store keeps what is scheduled, whatever its time to live. */
function storeSettings(settings: TopicSettings): QueueSettings {
  return {
    ...queueDefaults,
    status: settings.status,
    requiresDuplicateDetection: settings.requiresDuplicateDetection,
    duplicateWindowMs: settings.duplicateWindowMs,
  };
}

/** Lower case, without a leading slash or the scheme and host of a full URI. */
export function normal(address: string): string {
  return address
    .replace(/^(?:amqps?|sb|https?):\/\/[^/]*/i, '')
    .replace(/^\/+|\/+$/g, '')
    .toLowerCase();
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
