// A Service Bus that does all it may do: delays, reorders, doubles, loses the answer to a send, is away for hours. It
// never loses a message that it took.
import { TransientFault } from '@twinkey/contracts';
import {
  settlementOf,
  type Bus,
  type EntitySource,
  type OutgoingMessage,
  type Receiving,
  type Settlement,
} from '@twinkey/service-bus';
import type { Actor } from './actor.js';
import type { Chance } from './chance.js';
import type { Faults } from './faults.js';
import type { Story } from './story.js';
import type { Timeline } from './timeline.js';

const LOCK_MS = 60_000;
const LIVES_MS = 3_600_000;
const DUPLICATES_MS = 300_000;
const DELIVERIES = 10;
/** How often a broker looks whether a receiver that takes nothing takes something again. */
const THAW_MS = 5_000;

interface Held {
  readonly message: OutgoingMessage;
  readonly number: number;
  readonly sentAt: number;
  deliveries: number;
  /** Which delivery may settle it; 0: nobody has it. */
  lock: number;
}

interface Receiver {
  readonly actor: Actor;
  readonly places: number;
  busy: number;
  open: boolean;
  readonly handle: Parameters<Bus['receive']>[2];
}

interface Entity {
  readonly name: string;
  readonly held: Set<Held>;
  readonly receivers: Receiver[];
  newest: number;
}

export interface DeadLettered {
  readonly entity: string;
  readonly id: string;
  readonly reason: string;
  readonly description: string;
}

export class Broker {
  down = false;
  /** Ids of all that was ever taken, per entity that it was sent to. */
  readonly taken = new Map<string, Set<string>>();
  readonly deadLetters: DeadLettered[] = [];
  sent = 0;
  /** Called with all that is sent, as text. */
  onText: (text: string, where: string) => void = () => undefined;
  /** For seeded bugs: what becomes of a message on its way in. */
  bend: (entity: string, message: OutgoingMessage) => OutgoingMessage | null = (_, message) => message;
  readonly #entities = new Map<string, Entity>();
  readonly #topics = new Map<string, Set<string>>();
  readonly #recent = new Map<string, number>();
  #numbers = 0;
  #locks = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly chance: Chance,
    private readonly faults: Faults,
    private readonly story: Story,
  ) {}

  /** Makes a topic with its lasting subscriptions. */
  addTopic(topic: string, subscriptions: readonly string[]): void {
    this.#topics.set(topic, new Set(subscriptions));
  }

  connect(actor: Actor): Bus {
    const bus: Bus = {
      send: (entity, messages) => this.#send(actor, entity, messages),
      receive: (source, { maxConcurrent = 16 }, handle) =>
        Promise.resolve(this.#receive(actor, source, maxConcurrent, handle)),
      deadLetters: () => {
        throw new Error('nobody looks at dead letters in this world');
      },
      subscriptions: {
        ensure: (topic, subscription) =>
          this.#reach(actor, () => {
            this.#topics.get(topic)?.add(subscription);
            return undefined;
          }),
        remove: (topic, subscription) =>
          this.#reach(actor, () => {
            this.#topics.get(topic)?.delete(subscription);
            this.#entities.delete(`${topic}/${subscription}`);
            return undefined;
          }),
      },
      ping: () => this.#reach(actor, () => undefined),
      close: () => Promise.resolve(),
    };
    return bus;
  }

  /** Messages that somebody should have taken since, subscriptions of instances and of the console left out. */
  waiting(sinceMs: number): readonly string[] {
    return [...this.#entities.values()]
      .filter(({ name }) => !name.includes('/i-') && !name.endsWith('/console'))
      .flatMap(({ name, held }) =>
        [...held]
          .filter(({ sentAt }) => this.timeline.now - sentAt > sinceMs)
          .map(({ message }) => `${name} ${message.id}`),
      );
  }

  comeBack(): void {
    this.down = false;
    for (const entity of this.#entities.values()) this.#offerAll(entity);
  }

  /** `work` may say with what the caller is answered although it was done. */
  #reach(actor: Actor, work: () => Error | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.timeline.after(
        this.chance.between(1, 8),
        () => {
          if (this.down) reject(new TransientFault('bus-unreachable', 'Service Bus does not answer.'));
          else {
            const trouble = work();
            if (trouble instanceof Error) reject(trouble);
            else resolve();
          }
        },
        actor,
      );
    });
  }

  #send(actor: Actor, entity: string, messages: readonly OutgoingMessage[]): Promise<void> {
    const unanswered = this.faults.strikes('bus-unanswered');
    const dies = this.faults.strikes('process-crash');
    return this.#reach(actor, () => {
      for (const message of messages) this.#take(entity, message);
      if (dies) actor.die();
      return unanswered
        ? new TransientFault('bus-timeout', 'Service Bus did not answer in time.')
        : undefined;
    });
  }

  #take(entity: string, sent: OutgoingMessage): void {
    this.sent += 1;
    this.onText(JSON.stringify(sent.body), `a message to ${entity}`);
    const taken = this.taken.get(entity) ?? new Set();
    this.taken.set(entity, taken.add(sent.id));
    const known = this.#recent.get(`${entity} ${sent.id}`);
    this.#recent.set(`${entity} ${sent.id}`, this.timeline.now);
    if (known !== undefined && this.timeline.now - known < DUPLICATES_MS) return;
    const message = this.bend(entity, JSON.parse(JSON.stringify(sent)) as OutgoingMessage);
    if (message === null) return;
    const subscriptions = this.#topics.get(entity);
    const targets =
      subscriptions === undefined
        ? [entity]
        : [...subscriptions].map((subscription) => `${entity}/${subscription}`);
    for (const target of targets) this.#keep(target, message);
  }

  #keep(name: string, message: OutgoingMessage): void {
    const entity = this.#entity(name);
    const held: Held = {
      message,
      number: (this.#numbers += 1),
      sentAt: this.timeline.now,
      deliveries: 0,
      lock: 0,
    };
    entity.held.add(held);
    const ms = this.faults.strikes('message-delayed')
      ? this.chance.magnitude(1_000, 600_000)
      : this.chance.between(1, 40);
    this.timeline.after(
      ms,
      () => {
        this.#offer(entity, held);
      },
      null,
    );
    if (this.faults.strikes('message-doubled')) {
      this.timeline.after(
        ms + this.chance.magnitude(1, 120_000),
        () => {
          entity.held.add({ ...held, lock: 0 });
          this.#offerAll(entity);
        },
        null,
      );
    }
  }

  #entity(name: string): Entity {
    let entity = this.#entities.get(name);
    if (entity === undefined)
      this.#entities.set(name, (entity = { name, held: new Set(), receivers: [], newest: 0 }));
    return entity;
  }

  #receive(
    actor: Actor,
    source: EntitySource,
    places: number,
    handle: Parameters<Bus['receive']>[2],
  ): Receiving {
    const name = 'queue' in source ? source.queue : `${source.topic}/${source.subscription}`;
    const entity = this.#entity(name);
    const receiver: Receiver = { actor, places, busy: 0, open: true, handle };
    entity.receivers.push(receiver);
    const leave = (): void => {
      receiver.open = false;
      entity.receivers.splice(entity.receivers.indexOf(receiver) >>> 0, 1);
    };
    actor.atDeath(leave);
    this.timeline.after(
      this.chance.between(1, 50),
      () => {
        this.#offerAll(entity);
      },
      null,
    );
    return {
      close: () => {
        leave();
        return Promise.resolve();
      },
    };
  }

  #offerAll(entity: Entity): void {
    for (const held of [...entity.held]) this.#offer(entity, held);
  }

  #offer(entity: Entity, held: Held): void {
    if (this.down || held.lock !== 0 || !entity.held.has(held)) return;
    if (this.timeline.now - held.sentAt > LIVES_MS) {
      this.#bury(entity, held, 'TTLExpiredException', 'nobody took it in an hour');
      return;
    }
    const able = entity.receivers.filter(({ open, busy, places, actor }) => {
      return open && busy < places && !actor.isFrozen;
    });
    if (able.length > 0) {
      const receiver = this.chance.pick(able);
      void this.timeline.as(receiver.actor, () => this.#deliver(entity, held, receiver));
    } else if (entity.receivers.some(({ actor }) => actor.isFrozen)) {
      this.timeline.after(
        THAW_MS,
        () => {
          this.#offer(entity, held);
        },
        null,
      );
    } // else whoever comes, or is free again, is offered it
  }

  async #deliver(entity: Entity, held: Held, receiver: Receiver): Promise<void> {
    const lock = (this.#locks += 1);
    held.lock = lock;
    held.deliveries += 1;
    receiver.busy += 1;
    if (held.number < entity.newest && held.deliveries === 1) this.faults.count('message-reordered');
    entity.newest = Math.max(entity.newest, held.number);
    const abandoned = new AbortController();
    this.#watchLock(entity, held, receiver, lock, abandoned);
    const { message, deliveries, sentAt } = held;
    const settlement = await receiver
      .handle({
        ...message,
        deliveryCount: deliveries,
        enqueuedAt: new Date(sentAt),
        abandoned: abandoned.signal,
      })
      .catch((error: unknown) => settlementOf({ threw: error }, deliveries));
    await this.#settle(entity, held, receiver, lock, settlement);
  }

  /** The receiver's library keeps the lock while its process lives and reaches the broker. */
  #watchLock(entity: Entity, held: Held, receiver: Receiver, lock: number, abandoned: AbortController): void {
    this.timeline.after(
      LOCK_MS,
      () => {
        if (held.lock !== lock || !entity.held.has(held)) return;
        const { actor } = receiver;
        if (actor.alive && !actor.isFrozen && !this.down) {
          this.#watchLock(entity, held, receiver, lock, abandoned);
          return;
        }
        abandoned.abort();
        this.#giveBack(entity, held);
      },
      null,
    );
  }

  async #settle(
    entity: Entity,
    held: Held,
    receiver: Receiver,
    lock: number,
    settlement: Settlement,
  ): Promise<void> {
    if (settlement.settle === 'redeliver') await this.timeline.pass(settlement.delayMs);
    receiver.busy -= 1;
    await this.timeline.pass(this.chance.between(1, 8));
    if (held.lock !== lock) return; // it came back when its lock was over
    if (this.down) {
      // Nobody renews the lock of what was handled: it comes back, although its receiver lives.
      this.timeline.after(
        LOCK_MS,
        () => {
          if (held.lock === lock && entity.held.has(held)) this.#giveBack(entity, held);
        },
        null,
      );
      return;
    }
    switch (settlement.settle) {
      case 'complete':
        entity.held.delete(held);
        break;
      case 'dead-letter':
        this.#bury(entity, held, settlement.reason, settlement.description);
        break;
      case 'redeliver':
      case 'release':
        this.#giveBack(entity, held);
        break;
    }
    this.#offerAll(entity);
  }

  #giveBack(entity: Entity, held: Held): void {
    held.lock = 0;
    if (held.deliveries >= DELIVERIES) {
      this.#bury(entity, held, 'MaxDeliveryCountExceeded', 'the deliveries are used up');
      return;
    }
    this.#offer(entity, held);
  }

  #bury(entity: Entity, held: Held, reason: string, description: string): void {
    entity.held.delete(held);
    this.deadLetters.push({ entity: entity.name, id: held.message.id, reason, description });
    this.story.tell('bus', `dead letter in ${entity.name}: ${held.message.id}, ${reason}`);
  }
}
