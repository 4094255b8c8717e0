import { randomBytes } from 'node:crypto';
import type { Connection, ConnectionHost } from '../amqp/connection.js';
import type { IncomingLink, Link, OutgoingLink } from '../amqp/link.js';
import type { AmqpError } from '../amqp/performatives.js';
import { verifierOf, type SasKey, type VerifyToken } from '../authorization.js';
import { Broker, type Entity } from '../broker.js';
import { asRefused, entityNotFound, notAllowed, sessionLockLost, type Refused } from '../errors.js';
import { Faults } from '../faults.js';
import type { Journal } from '../journal/journal.js';
import { readMessage } from '../message.js';
import type { Queue } from '../queue.js';
import { putToken } from './cbs.js';
import { Grants } from './grants.js';
import { manage } from './management.js';
import { Dispatcher, Receiver } from './receiving.js';
import { Replies } from './replies.js';
import { acceptSender } from './sending.js';
import { acceptSession, SessionQueue, sessionWish, type SessionWish } from './session-receiving.js';

export interface HubSettings {
  readonly clock: () => number;
  readonly journal: Journal;
  readonly verifyToken: VerifyToken | undefined;
  readonly sas: readonly SasKey[] | undefined;
  readonly allowAnySas: boolean;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, more?: object) => void;
}

const REQUEST_CREDIT = 100;
const MAX_REQUEST_BYTES = 1_048_576;
const MANAGEMENT = /\/\$management$/i;

/**
 * Between the broker and its connections. Everything that happens in one turn of the event loop is finished
 * together at its end: waiting receivers are served, the journal is written, then the sockets. So what a client
 * hears was written down before, and a burst costs one write per socket.
 */
export class Hub implements ConnectionHost {
  readonly containerId = `service-bus-${randomBytes(6).toString('hex')}`;
  readonly broker: Broker;
  readonly faults: Faults;
  readonly verify: VerifyToken;
  readonly connections = new Map<Connection, { grants: Grants; replies: Replies }>();
  private readonly touchedConnections = new Set<Connection>();
  private readonly hungryQueues = new Set<Queue>();
  private readonly dispatchers = new Map<Queue, Dispatcher>();
  private readonly sessionQueues = new Map<Queue, SessionQueue>();
  private readonly senders = new Map<Queue, Set<IncomingLink>>();
  private turnIsDue = false;
  private readonly tokenPrefix = randomBytes(8);
  private tokenCount = 0;

  constructor(private readonly settings: HubSettings) {
    const { journal } = settings;
    this.verify = verifierOf(settings);
    this.faults = new Faults(this);
    this.broker = new Broker({
      note: (change) => {
        journal.note(change);
        this.turnSoon();
      },
      available: (queue) => {
        this.hungry(queue);
      },
      gone: (queue) => {
        this.gone(queue);
      },
      newToken: () => this.newToken(),
      newId: () => randomBytes(16).toString('hex'),
    });
  }

  now(): number {
    return this.settings.clock();
  }

  whenDurable(then: () => void): void {
    this.settings.journal.whenDurable(then);
  }

  /** Unique for ever: eight random bytes of this run and a count. */
  private newToken(): Buffer {
    const token = Buffer.allocUnsafe(16);
    this.tokenPrefix.copy(token);
    token.writeDoubleBE(++this.tokenCount, 8);
    return token;
  }

  // The turn.
  private turnSoon(): void {
    if (this.turnIsDue) return;
    this.turnIsDue = true;
    setImmediate(() => {
      this.turn();
    });
  }

  turn(): void {
    this.turnIsDue = false;
    const now = this.now();
    this.guarded(() => {
      this.broker.advance(now);
    });
    for (const queue of this.hungryQueues) {
      this.hungryQueues.delete(queue);
      this.guarded(() => {
        this.sessionQueues.get(queue)?.serve();
        this.dispatchers.get(queue)?.pump(now);
      });
    }
    this.settings.journal.write();
    for (const connection of this.touchedConnections) connection.flush();
    this.touchedConnections.clear();
  }

  /** A defect met with one queue must not stop the others, nor the process. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.settings.log('error', 'The broker failed', {
        reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }

  hungry(queue: Queue): void {
    this.hungryQueues.add(queue);
    this.turnSoon();
  }

  touched(connection: Connection): void {
    this.touchedConnections.add(connection);
    this.turnSoon();
  }

  // Connections.
  opened(connection: Connection): void {
    this.connections.set(connection, {
      grants: new Grants(this.verify, this.settings.clock),
      replies: new Replies(),
    });
  }

  closed(connection: Connection): void {
    this.connections.delete(connection);
  }

  complain(_connection: Connection, error: unknown): void {
    this.settings.log('warn', 'A connection was closed because of what it sent', {
      reason: error instanceof Error ? error.message : String(error),
    });
  }

  disturb(path: string, go: () => void, fail: (error: Refused) => void): void {
    this.faults.disturb(path, go, fail);
  }

  // Links.
  attached(link: Link): void {
    const state = this.connections.get(link.session.connection);
    if (state === undefined) return;
    const address =
      (link.direction === 'incoming' ? link.asked.targetAddress : link.asked.sourceAddress) ?? '';
    if (address === '$cbs') {
      this.attachCbs(link, state);
      return;
    }
    const isManagement = MANAGEMENT.test(address);
    const needs = isManagement
      ? (['Listen', 'Send', 'Manage'] as const)
      : ([link.direction === 'incoming' ? 'Send' : 'Listen'] as const);
    state.grants
      .check(address, needs)
      .then(() => {
        if (link.isGone) return;
        if (isManagement) this.attachManagement(link, address.replace(MANAGEMENT, ''), state.replies);
        else if (link.direction === 'incoming') this.attachSender(link, address);
        else this.attachReceiver(link, address);
      })
      .catch((error: unknown) => {
        this.refuse(link, error);
      });
  }

  private refuse(link: Link, error: unknown): void {
    const refused = asRefused(error);
    if (refused.status === 500)
      this.settings.log('error', 'A link could not be attached', { reason: String(error) });
    link.refuse(refused);
  }

  private attachCbs(link: Link, { grants, replies }: { grants: Grants; replies: Replies }): void {
    if (link.direction === 'outgoing') {
      replies.add(link);
      return;
    }
    link.onMessage = ({ payload, deliveryId, settled }) => {
      if (!settled) this.acceptRequest(link, deliveryId);
      putToken(readMessage(payload), grants, replies).catch((error: unknown) => {
        this.settings.log('error', 'A token could not be checked', { reason: String(error) });
      });
    };
    link.accept({ credit: REQUEST_CREDIT, maxMessageSize: MAX_REQUEST_BYTES });
  }

  private acceptRequest(link: IncomingLink, deliveryId: number): void {
    link.settle(deliveryId, (to) => {
      to.describedBy(0x24);
      to.u8(0x45);
    });
  }

  private attachManagement(link: Link, address: string, replies: Replies): void {
    this.entity(address);
    if (link.direction === 'outgoing') {
      replies.add(link);
      return;
    }
    link.onMessage = ({ payload, deliveryId, settled }) => {
      if (!settled) this.acceptRequest(link, deliveryId);
      const request = readMessage(payload);
      const fail = (error: unknown): void => {
        const { status, description, condition } = asRefused(error);
        replies.send(request, { status, description, condition });
      };
      this.disturb(
        address,
        () => {
          try {
            const at = { broker: this.broker, address, entity: this.entity(address) };
            const reply = manage(request, at, this.now());
            this.whenDurable(() => {
              replies.send(request, reply);
            });
          } catch (error) {
            fail(error);
          }
        },
        fail,
      );
    };
    link.accept({ credit: REQUEST_CREDIT, maxMessageSize: MAX_REQUEST_BYTES });
  }

  private entity(address: string): Entity {
    const entity = this.broker.find(address);
    if (entity === undefined) throw entityNotFound(address);
    return entity;
  }

  private attachSender(link: IncomingLink, address: string): void {
    const entity = this.entity(address);
    const store = entity.kind === 'queue' ? entity.queue : entity.topic.store;
    if (
      entity.kind === 'queue' &&
      (store.isDeadLetterQueue || this.broker.subscription(address) !== undefined)
    )
      throw notAllowed('Messages are sent to queues and topics, not to subscriptions or dead-letter queues');
    const senders = this.senders.get(store) ?? new Set();
    this.senders.set(store, senders.add(link));
    link.onDetach = () => {
      senders.delete(link);
    };
    acceptSender(link, entity, this);
  }

  private attachReceiver(link: OutgoingLink, address: string): void {
    const entity = this.entity(address);
    if (entity.kind === 'topic')
      throw notAllowed('Messages are received from a subscription, not from its topic');
    const { queue } = entity;
    queue.touchedAt = this.now();
    const wish = sessionWish(link);
    const needsSession = queue.settings.requiresSession && !queue.isDeadLetterQueue;
    if (needsSession && wish === undefined)
      throw notAllowed(
        'It is not possible for an entity that requires sessions to create a non-sessionful receiver',
      );
    if (!needsSession && wish !== undefined)
      throw notAllowed('A sessionful receiver cannot be created on an entity that does not require sessions');
    if (wish === undefined) {
      link.accept();
      this.receive(new Receiver(link, queue, undefined, this));
      return;
    }
    if (wish.id !== undefined) {
      this.grantSession(link, queue, wish);
      return;
    }
    this.sessionQueue(queue).wait(link, () => this.grantSession(link, queue, wish));
  }

  private grantSession(link: OutgoingLink, queue: Queue, wish: SessionWish): boolean {
    const slot = queue.sessions.accept(wish.id, link, this.now());
    if (slot === undefined) return false;
    acceptSession(link, slot, wish);
    const receiver = new Receiver(link, queue, slot, this);
    this.receive(receiver, () => {
      queue.sessions.release(slot, link, this.now());
    });
    return true;
  }

  private receive(receiver: Receiver, released: () => void = () => undefined): void {
    const { link, queue } = receiver;
    const dispatcher = this.dispatcher(queue);
    dispatcher.add(receiver);
    link.onCredit = () => {
      if (!link.isDraining) {
        this.hungry(queue);
        return;
      }
      dispatcher.pump(this.now());
      link.drained();
    };
    link.onDetach = () => {
      dispatcher.remove(receiver);
      queue.touchedAt = this.now();
      released();
      this.hungry(queue);
    };
    this.hungry(queue);
  }

  private dispatcher(queue: Queue): Dispatcher {
    let dispatcher = this.dispatchers.get(queue);
    if (dispatcher === undefined) {
      dispatcher = new Dispatcher(queue);
      this.dispatchers.set(queue, dispatcher);
    }
    return dispatcher;
  }

  private sessionQueue(queue: Queue): SessionQueue {
    let waiting = this.sessionQueues.get(queue);
    if (waiting === undefined) {
      waiting = new SessionQueue(queue);
      this.sessionQueues.set(queue, waiting);
      queue.sessions.onLost = (_slot, holder) => {
        (holder as OutgoingLink).refuse(sessionLockLost());
      };
    }
    return waiting;
  }

  /** Detaches whoever uses a queue, with a reason. */
  detachAll(queue: Queue, error: AmqpError): number {
    const receivers = [...(this.dispatchers.get(queue)?.receivers ?? [])].map(({ link }) => link);
    const senders = [...(this.senders.get(queue) ?? [])];
    for (const link of [...receivers, ...senders]) link.refuse(error);
    this.sessionQueues.get(queue)?.refuseAll((link) => {
      link.refuse(error);
    });
    return receivers.length + senders.length;
  }

  private gone(queue: Queue): void {
    this.detachAll(queue, entityNotFound(queue.path));
    this.dispatchers.delete(queue);
    this.sessionQueues.delete(queue);
    this.senders.delete(queue);
    this.hungryQueues.delete(queue);
  }
}
