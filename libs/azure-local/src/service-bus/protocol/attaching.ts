import type { Connection } from '../amqp/connection.js';
import type { IncomingLink, Link, OutgoingLink } from '../amqp/link.js';
import type { AmqpError } from '../amqp/performatives.js';
import { DecodeError, textOf } from '../amqp/reader.js';
import type { Need } from '../authorization.js';
import type { Broker, Entity } from '../state/broker.js';
import {
  asRefused,
  entityDisabled,
  entityNotFound,
  notAllowed,
  Refused,
  sessionLockLost,
  unauthorized,
} from '../errors.js';
import type { Queue } from '../state/queue.js';
import { putToken } from './cbs.js';
import { entityPath, type Grants } from './grants.js';
import { manage, needsOf } from './management.js';
import { Dispatcher, Receiver, type ReceivingHost } from './receiving.js';
import type { Replies } from './replies.js';
import { checkReceivable, isDisabled, storeOf } from './request.js';
import { acceptRequests, type RequestsHost } from './requests.js';
import { checkSendable } from './sendable.js';
import { acceptSender, type SendingHost } from './sending.js';
import { acceptCoordinator, type Transactions } from './transactions.js';
import { acceptSession, SessionQueue, sessionWish, type SessionWish } from './session-receiving.js';

export interface ConnectionState {
  readonly grants: Grants;
  readonly replies: Replies;
  readonly transactions: Transactions;
  /** The links to entities, with the entity (see `entityPath`) that each was granted. */
  readonly links: Map<Link, string>;
}

export interface AttachingHost extends SendingHost, ReceivingHost, RequestsHost {
  readonly broker: Broker;
  readonly connections: ReadonlyMap<Connection, ConnectionState>;
}

const MANAGEMENT = /\/\$management$/i;

/** Decides what a link is for by its address, and knows who is attached to which queue. */
export class Attaching {
  private readonly dispatchers = new Map<Queue, Dispatcher>();
  private readonly sessionQueues = new Map<Queue, SessionQueue>();
  private readonly senders = new Map<Queue, Set<IncomingLink>>();

  constructor(private readonly host: AttachingHost) {}

  attached(link: Link): void {
    const state = this.host.connections.get(link.session.connection);
    if (state === undefined) return;
    const asked = link.direction === 'incoming' ? link.asked.targetAddress : link.asked.sourceAddress;
    const address = asked ?? '';
    if (link.direction === 'incoming' && link.asked.isToCoordinator) {
      acceptCoordinator(link, state.transactions, this.host);
      return;
    }
    if (address === '$cbs') {
      this.attachCbs(link, state);
      return;
    }
    const isManagement = MANAGEMENT.test(address);
    const needs = isManagement
      ? (['Listen', 'Send', 'Manage'] as const)
      : ([link.direction === 'incoming' ? 'Send' : 'Listen'] as const);
    const attach = (): void => {
      this.attach(link, state, address, needs, isManagement).catch((error: unknown) => {
        const refused = asRefused(error);
        if (!(error instanceof Refused || error instanceof DecodeError))
          this.host.defect('A link could not be attached', error);
        link.refuse(refused);
      });
    };
    const refuse = (error: Refused): void => {
      link.refuse(error);
    };
    this.host.attempt({
      operation: 'attach',
      target: address.replace(MANAGEMENT, ''),
      run: (answer) => {
        answer(attach);
      },
      refuse,
      detach: refuse,
      cut: () => {
        link.session.connection.drop();
      },
    });
  }

  private async attach(
    link: Link,
    state: ConnectionState,
    address: string,
    needs: readonly Need[],
    isManagement: boolean,
  ): Promise<void> {
    const path = entityPath(address);
    await state.grants.check(path, needs);
    if (link.isGone) return;
    state.links.set(link, path);
    link.onGone = () => {
      state.links.delete(link);
    };
    if (isManagement) this.attachManagement(link, address.replace(MANAGEMENT, ''), state);
    else if (link.direction === 'incoming') this.attachSender(link, address, state.transactions);
    else this.attachReceiver(link, address, state.transactions);
  }

  /** A client that let its token expire without putting a new one loses its links. */
  expireGrants(): void {
    for (const { grants, links } of this.host.connections.values()) {
      if (!grants.hasEnded) continue;
      grants.forgetEnded();
      for (const [link, path] of [...links])
        if (!grants.isLive(path)) link.refuse(unauthorized('The token of this link has expired'));
    }
  }

  private attachCbs(link: Link, { grants, replies }: ConnectionState): void {
    if (link.direction === 'outgoing') {
      replies.add(link);
      return;
    }
    acceptRequests(link, replies, this.host, {
      operation: 'authenticate',
      target: (request) => entityPath(textOf(request.applicationProperties.get('name'))),
      carryOut: (request) => putToken(request, grants),
    });
  }

  private attachManagement(link: Link, address: string, { grants, replies }: ConnectionState): void {
    this.entity(address);
    if (link.direction === 'outgoing') {
      replies.add(link);
      return;
    }
    const path = entityPath(address);
    acceptRequests(link, replies, this.host, {
      operation: 'manage',
      target: () => address,
      carryOut: async (request) => {
        const needs = needsOf(request);
        if (!grants.knows(path, needs)) await grants.check(path, needs);
        const at = { broker: this.host.broker, address, entity: this.entity(address) };
        const reply = manage(request, at, this.host.now());
        await new Promise<void>((resolve) => {
          this.host.whenDurable(resolve);
        });
        return reply;
      },
    });
  }

  private entity(address: string): Entity {
    const entity = this.host.broker.find(address);
    if (entity === undefined) throw entityNotFound(address);
    return entity;
  }

  private attachSender(link: IncomingLink, address: string, transactions: Transactions): void {
    const entity = this.entity(address);
    checkSendable(this.host.broker, entity, address);
    const store = storeOf({ entity });
    const senders = this.senders.get(store) ?? new Set();
    this.senders.set(store, senders.add(link));
    link.onDetach = () => {
      senders.delete(link);
    };
    acceptSender(link, entity, this.host, transactions);
  }

  private attachReceiver(link: OutgoingLink, address: string, transactions: Transactions): void {
    const entity = this.entity(address);
    if (entity.kind === 'topic')
      throw notAllowed('Messages are received from a subscription, not from its topic');
    const { queue } = entity;
    checkReceivable(entity, address);
    if (queue.settings.forwardTo !== undefined)
      throw notAllowed(`Messages of '${address}' are forwarded; receive them where they go`);
    queue.touchedAt = this.host.now();
    const wish = sessionWish(link);
    const isSessionful = queue.needsSession;
    if (isSessionful && wish === undefined)
      throw notAllowed(
        'It is not possible for an entity that requires sessions to create a non-sessionful receiver',
      );
    if (!isSessionful && wish !== undefined)
      throw notAllowed('A sessionful receiver cannot be created on an entity that does not require sessions');
    if (wish === undefined) {
      link.accept();
      this.receive(new Receiver(link, queue, undefined, this.host, transactions));
    } else if (wish.id === undefined)
      this.sessionQueue(queue).wait(link, () => this.grantSession(link, queue, wish, transactions));
    else this.grantSession(link, queue, wish, transactions);
  }

  private grantSession(
    link: OutgoingLink,
    queue: Queue,
    wish: SessionWish,
    transactions: Transactions,
  ): boolean {
    queue.sessions.onLost = loseSession;
    const slot = queue.sessions.accept(wish.id, link, this.host.now());
    if (slot === undefined) return false;
    acceptSession(link, slot, wish);
    this.receive(new Receiver(link, queue, slot, this.host, transactions), () => {
      queue.sessions.release(slot, link, this.host.now());
    });
    return true;
  }

  private receive(receiver: Receiver, released: () => void = () => undefined): void {
    const { link, queue } = receiver;
    const dispatcher = this.dispatcher(queue);
    dispatcher.add(receiver);
    link.onCredit = () => {
      if (!link.isDraining) {
        this.host.hungry(queue);
        return;
      }
      dispatcher.pump(this.host.now());
      link.drained();
    };
    link.onDetach = () => {
      dispatcher.remove(receiver);
      queue.touchedAt = this.host.now();
      released();
      this.host.hungry(queue);
    };
    this.host.hungry(queue);
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
    }
    return waiting;
  }

  /** Gives what a queue has to those who wait for it. */
  serve(queue: Queue, now: number): void {
    this.sessionQueues.get(queue)?.serve();
    this.dispatchers.get(queue)?.pump(now);
  }

  private detachSenders(queue: Queue, error: AmqpError): void {
    for (const link of [...(this.senders.get(queue) ?? [])]) link.refuse(error);
  }

  private detachReceivers(queue: Queue, error: AmqpError): void {
    for (const { link } of [...(this.dispatchers.get(queue)?.receivers ?? [])]) link.refuse(error);
    this.sessionQueues.get(queue)?.refuseAll((link) => {
      link.refuse(error);
    });
  }

  /** The settings of an entity have changed: links that its status no longer allows are detached. */
  changed(path: string): void {
    const entity = this.host.broker.find(path);
    if (entity === undefined) return;
    const store = storeOf({ entity });
    const { status } = store.settings;
    if (isDisabled(status, 'SendDisabled')) this.detachSenders(store, entityDisabled(path));
    if (isDisabled(status, 'ReceiveDisabled')) this.detachReceivers(store, entityDisabled(path));
  }

  /** Detaches whoever uses a queue that is no more. */
  gone(queue: Queue): void {
    const error = entityNotFound(queue.path);
    this.detachReceivers(queue, error);
    this.detachSenders(queue, error);
    this.dispatchers.delete(queue);
    this.sessionQueues.delete(queue);
    this.senders.delete(queue);
  }
}

function loseSession(_slot: unknown, holder: object): void {
  (holder as OutgoingLink).refuse(sessionLockLost());
}
