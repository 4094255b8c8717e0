import { entityExists, entityNotFound, invalidArgument, notAllowed, quotaExceeded } from '../errors.js';
import { DueHeap } from './due.js';
import {
  queueDefaults,
  storeSettings,
  topicDefaults,
  type AccessRight,
  type Entity,
  type EntityRecord,
  type QueueSettings,
  type TopicSettings,
} from './entity.js';
import { IdleWatch } from './idle.js';
import type { Message } from './message.js';
import { checkEntityPath, checkPartName, normal, subQueueOf } from './names.js';
import { Queue, type QueueHost } from './queue.js';
import { Routing } from './routing.js';
import { compileRule, DEFAULT_RULE_NAME, everything, type Rule } from './rules/rule.js';
import type { Change, Stored } from './stored.js';
import { Subscription, Topic, type TopicHost } from './topic.js';

export type { Entity } from './entity.js';
export { normal } from './names.js';

export interface BrokerHost {
  note(change: Change): void;
  available(queue: Queue): void;
  /** Queues that are no more: whoever is attached must hear of it. */
  gone(queue: Queue): void;
  newToken(): Buffer;
  newId(): string;
}

export interface EntityKey {
  readonly keyName: string;
  readonly key: string;
  readonly rights: readonly AccessRight[];
  readonly entity: string;
}

const RECONNECT_MS = 60_000;
const MOST_SUBSCRIPTIONS = 2000;

/**
 * All entities of a namespace and what time does to them. Pure: it knows neither sockets nor files nor the clock.
 * Addresses are compared without regard to case.
 */
export class Broker implements QueueHost, TopicHost {
  private readonly queues = new Map<string, Queue>();
  private readonly topics = new Map<string, Topic>();
  /** Main stores by number; those of dead letters are found through them. */
  private readonly storesById = new Map<number, Queue>();
  private readonly idle = new IdleWatch();
  private readonly wakes = new DueHeap<Queue>();
  private readonly routing = new Routing({
    find: (address) => this.find(address),
    newId: () => this.host.newId(),
  });
  private nextId = 1;
  /** When the namespace came to be; undefined until something says so. */
  createdAt: number | undefined;

  constructor(private readonly host: BrokerHost) {}

  // What queues and topics ask of their surroundings.
  note(change: Change): void {
    this.host.note(change);
  }

  available(queue: Queue): void {
    this.routing.mayForward(queue);
    this.host.available(queue);
  }

  dueAt(queue: Queue, at: number): void {
    const { wake } = queue;
    if (at === Infinity || queue.isGone) return;
    if (wake !== undefined) {
      if (wake.at <= at) return;
      this.wakes.remove(wake);
    }
    queue.wake = this.wakes.add(at, queue);
  }

  newToken(): Buffer {
    return this.host.newToken();
  }

  due(stored: Stored, now: number): void {
    const { queue, message } = stored;
    if (queue.role === 'topic') this.topics.get(normal(queue.path))?.publish(message, now, stored.sequence);
    else this.enqueue(queue, message, now, stored.firstSequence);
  }

  enqueue(queue: Queue, message: Message, now: number, firstSequence?: number): number {
    return this.routing.enqueue(queue, message, now, firstSequence);
  }

  forwardDeadLetter(address: string, message: Message, from: Stored, now: number): boolean {
    return this.routing.forwardDeadLetter(address, message, now, from.firstSequence);
  }

  // Entities.
  find(address: string): Entity | undefined {
    const path = normal(address);
    const queue = this.queues.get(path);
    if (queue !== undefined) return { kind: 'queue', queue };
    const topic = this.topics.get(path);
    if (topic !== undefined) return { kind: 'topic', topic };
    const sub = subQueueOf(path);
    if (sub === undefined) {
      const subscription = this.subscription(path);
      return subscription && { kind: 'queue', queue: subscription.queue };
    }
    const owner = this.find(sub.owner);
    if (owner?.kind !== 'queue') return undefined;
    const letters = sub.which === 'dead-letters' ? owner.queue.deadLetters : owner.queue.transferLetters();
    return letters && { kind: 'queue', queue: letters };
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

  private register(queue: Queue): Queue {
    this.nextId = Math.max(this.nextId, queue.id + 2);
    this.storesById.set(queue.id, queue);
    this.idle.watch(queue);
    return queue;
  }

  private checkFree(path: string): void {
    checkEntityPath(path);
    if (this.queues.has(normal(path)) || this.topics.has(normal(path))) throw entityExists(path);
  }

  createQueue(path: string, settings: Partial<QueueSettings>, now: number): Queue {
    this.checkFree(path);
    const complete = { ...queueDefaults, ...settings };
    checkForwards(path, complete);
    const queue = this.addQueue(path, complete, now);
    this.noteEntity(path);
    this.routing.appeared(path);
    return queue;
  }

  private addQueue(path: string, settings: QueueSettings, now: number, id = this.nextId): Queue {
    const queue = new Queue(id, path, settings, this, now, 'queue');
    this.queues.set(normal(path), queue);
    return this.register(queue);
  }

  createTopic(path: string, settings: Partial<TopicSettings>, now: number): Topic {
    this.checkFree(path);
    const topic = this.addTopic(path, { ...topicDefaults, ...settings }, now);
    this.noteEntity(path);
    this.routing.appeared(path);
    return topic;
  }

  private addTopic(path: string, settings: TopicSettings, now: number, id = this.nextId): Topic {
    const store = new Queue(id, path, storeSettings(settings), this, now, 'topic');
    const topic = new Topic(path, settings, store, this);
    this.topics.set(normal(path), topic);
    this.register(store);
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
    checkPartName(name, 'subscription');
    if (topic.subscriptions.has(name.toLowerCase())) throw entityExists(path);
    if (topic.subscriptions.size >= MOST_SUBSCRIPTIONS)
      throw quotaExceeded('A topic has at most 2,000 subscriptions');
    const complete = { ...queueDefaults, ...settings };
    checkForwards(path, complete);
    const first = { ...(rule ?? { name: DEFAULT_RULE_NAME, filter: everything }), createdAt: now };
    checkPartName(first.name, 'rule');
    topic.filters.check(first);
    compileRule(first);
    const subscription = this.addSubscription(path, complete, [first], now);
    topic.store.touch(now);
    this.noteEntity(path);
    return subscription;
  }

  private addSubscription(
    path: string,
    settings: QueueSettings,
    rules: readonly Rule[],
    now: number,
    id = this.nextId,
  ): Subscription {
    const cut = path.lastIndexOf('/');
    const name = path.slice(cut + 1);
    const topic = this.topics.get(normal(path.slice(0, cut - '/subscriptions'.length)));
    if (topic === undefined) throw entityNotFound(path);
    const queue = new Queue(id, path, settings, this, now, 'subscription', topic.store);
    const subscription = new Subscription(name, queue, rules, topic.filters);
    topic.subscriptions.set(name.toLowerCase(), subscription);
    this.register(queue);
    return subscription;
  }

  updateQueue(queue: Queue, settings: QueueSettings, now: number): void {
    if (settings.requiresSession !== queue.settings.requiresSession)
      throw notAllowed('Whether a queue or subscription requires sessions cannot be changed');
    checkDuplicates(queue.settings, settings);
    checkForwards(queue.path, settings);
    queue.settings = settings;
    this.updated(queue, now);
    this.routing.mayForward(queue);
  }

  updateTopic(topic: Topic, settings: TopicSettings, now: number): void {
    checkDuplicates(topic.settings, settings);
    topic.settings = settings;
    this.updated(topic.store, now);
  }

  private updated(store: Queue, now: number): void {
    store.updatedAt = now;
    store.touch(now);
    this.idle.watch(store);
    this.noteEntity(store.path);
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
    subscription.restoreRules([]);
    this.discard(subscription.queue);
    return true;
  }

  private discard(queue: Queue): void {
    this.idle.forget(queue);
    this.routing.gone(queue);
    this.storesById.delete(queue.id);
    queue.discarded();
    for (const each of queue.withLetters) {
      if (each.wake !== undefined) this.wakes.remove(each.wake);
      this.host.gone(each);
    }
  }

  /** The shared access keys of the entity's own authorization rules; a subscription has those of its topic. */
  keysOf(address: string): EntityKey[] {
    const path = normal(address).replace(/\/subscriptions\/.*$/, '');
    const entity = this.find(subQueueOf(path)?.owner ?? path);
    if (entity === undefined) return [];
    const { settings, path: own } = entity.kind === 'queue' ? entity.queue : entity.topic;
    return (settings.authorizationRules ?? []).flatMap(({ keyName, rights, primaryKey, secondaryKey }) =>
      [primaryKey, secondaryKey].map((key) => ({ keyName, key, rights, entity: own })),
    );
  }

  // Messages.
  /** Accepts a message; the number it got. A message that is scheduled waits until its time. */
  send(entity: Entity, message: Message, now: number): number {
    return this.sendAll(entity, [message], now)[0] ?? 0;
  }

  /** Accepts all of the messages or, throwing `Refused`, none. */
  sendAll(entity: Entity, messages: readonly Message[], now: number): number[] {
    return this.routing.sendAll(entity, messages, now);
  }

  // Time.
  get nextDue(): number {
    return this.routing.hasBacklog ? -Infinity : Math.min(this.wakes.first, this.idle.nextDue);
  }

  advance(now: number): void {
    for (const queue of this.idle.take(now)) this.delete(queue.path);
    for (let queue = this.wakes.take(now); queue !== undefined; queue = this.wakes.take(now)) {
      queue.wake = undefined;
      queue.advance(now);
      this.dueAt(queue, Math.max(queue.nextDue, now + 1));
    }
    this.routing.forwardBacklog(now);
  }

  /** Every store of messages there is. */
  stores(): Queue[] {
    return [...this.storesById.values()].flatMap((queue) => queue.withLetters);
  }

  /** How many things are remembered beside entities and messages, for those who watch the memory. */
  get sizes(): Readonly<Record<string, number>> {
    return { wakes: this.wakes.size, idle: this.idle.size, ...this.routing.sizes };
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
    const entity = this.find(path);
    if (entity === undefined) return undefined;
    const {
      id,
      path: own,
      createdAt,
      updatedAt,
    } = entity.kind === 'queue' ? entity.queue : entity.topic.store;
    const common = { id, path: own, createdAt, updatedAt };
    if (entity.kind === 'topic') return { kind: 'topic', ...common, settings: entity.topic.settings };
    const { settings } = entity.queue;
    return subscription === undefined
      ? { kind: 'queue', ...common, settings }
      : { kind: 'subscription', ...common, settings, rules: subscription.listRules() };
  }

  /** The store with this number: of a queue, one more for its dead letters, negative for those of forwarding. */
  store(id: number): Queue | undefined {
    if (id < 0) return this.storesById.get(-id)?.transferLetters();
    return this.storesById.get(id) ?? this.storesById.get(id - 1)?.deadLetters;
  }

  /** Takes an entity from the journal: a new one, or the new settings of one that exists. */
  restore(record: EntityRecord, now: number): void {
    this.idle.notBefore = now + RECONNECT_MS;
    const store = record.kind === 'topic' ? this.restoreTopic(record) : this.restoreQueue(record);
    store.updatedAt = record.updatedAt ?? record.createdAt;
    this.idle.watch(store);
    this.routing.mayForward(store);
  }

  private restoreTopic(record: EntityRecord & { kind: 'topic' }): Queue {
    const settings = { ...topicDefaults, ...record.settings };
    const existing = this.topics.get(normal(record.path));
    if (existing === undefined)
      return this.addTopic(record.path, settings, record.createdAt, record.id).store;
    existing.settings = settings;
    return existing.store;
  }

  private restoreQueue(record: Exclude<EntityRecord, { kind: 'topic' }>): Queue {
    const { path, createdAt, id } = record;
    const settings = { ...queueDefaults, ...record.settings };
    const existing = this.find(path);
    if (existing?.kind !== 'queue')
      return record.kind === 'queue'
        ? this.addQueue(path, settings, createdAt, id)
        : this.addSubscription(path, settings, record.rules, createdAt, id).queue;
    existing.queue.settings = settings;
    if (record.kind === 'subscription') this.subscription(path)?.restoreRules(record.rules);
    return existing.queue;
  }

  restoreGone(path: string): void {
    this.forget(path);
  }

  /** As the journal tells it: used at that time. */
  restoreTouch(queue: Queue, at: number): void {
    queue.touchedAt = at;
    if (!queue.isDeadLetterQueue) this.idle.watch(queue);
  }
}

/** Throws `Refused` for forwarding that can never work. */
function checkForwards(
  path: string,
  { requiresSession, forwardTo, forwardDeadLettersTo }: QueueSettings,
): void {
  for (const target of [forwardTo, forwardDeadLettersTo]) {
    if (target === undefined) continue;
    if (normal(target) === normal(path)) throw invalidArgument(`'${path}' cannot forward to itself`);
    if (subQueueOf(normal(target)) !== undefined || /\/subscriptions\//i.test(target))
      throw invalidArgument(
        `'${path}' cannot forward to '${target}': name a queue or topic, not dead letters or a subscription`,
      );
  }
  if (requiresSession && forwardTo !== undefined)
    throw invalidArgument(`'${path}' requires sessions and therefore cannot forward its messages`);
}

function checkDuplicates(
  old: { requiresDuplicateDetection: boolean },
  settings: { requiresDuplicateDetection: boolean },
): void {
  if (settings.requiresDuplicateDetection !== old.requiresDuplicateDetection)
    throw notAllowed('Whether an entity detects duplicates cannot be changed');
}

function byPath(a: { readonly path: string }, b: { readonly path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}
