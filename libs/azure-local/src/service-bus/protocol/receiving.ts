import type { OutgoingLink } from '../amqp/link.js';
import { asAsked, rejected, within, type DeliveryState, type Outcome } from '../amqp/performatives.js';
import type { Fields } from '../amqp/fields.js';
import { bytesOf, string, type Put } from '../amqp/put.js';
import { asRefused, messageTooLarge, notAllowed, notImplemented } from '../errors.js';
import type { BusEffect } from '../faults.js';
import { errorBy, type AttemptHost } from './attempt.js';
import { writeMessage } from '../state/message-out.js';
import { modifications } from './modifications.js';
import { isDisabled } from './request.js';
import { MAX_MESSAGE_BYTES } from './sendable.js';
import type { Transactions } from './transactions.js';
import type { Queue } from '../state/queue.js';
import { stampsOf, type Modifications } from '../state/stamps.js';
import type { SessionSlot } from '../state/session-slot.js';
import type { Lock, Stored } from '../state/stored.js';

export interface ReceivingHost extends AttemptHost {
  now(): number;
  whenDurable(then: () => void): void;
  hungry(queue: Queue): void;
  faultOf(operation: 'receive', path: string): BusEffect | undefined;
}

const DEAD_LETTER = 'com.microsoft:dead-letter';
const LONGEST_REASON = 4096;

interface Delivery {
  readonly stored: Stored;
  readonly lock: Lock | undefined;
}

interface Delivered {
  readonly stored: Stored;
  readonly lock: Lock;
}

/** A link on which a client receives from a queue, or from one session of it. */
export class Receiver {
  private readonly removes: boolean;
  private isPaused = false;

  constructor(
    readonly link: OutgoingLink,
    readonly queue: Queue,
    readonly slot: SessionSlot | undefined,
    private readonly host: ReceivingHost,
    private readonly transactions: Transactions,
  ) {
    this.removes = link.asked.senderSettles === 1;
    link.onOutcome = (token, state, id, settled) => {
      // Settled without an outcome: the lock stands until it ends, as the client may still settle by its token.
      if (state !== undefined) this.settle(token as Delivered, state, id, settled);
    };
  }

  get ready(): boolean {
    return this.link.ready && !this.isPaused;
  }

  private get hasMessage(): boolean {
    return this.slot === undefined ? this.queue.hasReady : this.slot.ready.size > 0;
  }

  /** Sends one message if there is one. */
  next(now: number): boolean {
    if (!this.hasMessage) return false;
    const effect = this.host.faultOf('receive', this.queue.path);
    if (effect !== undefined) return this.troubled(effect, now);
    const delivery = this.take(now);
    if (delivery === undefined) return false;
    this.send(delivery);
    return true;
  }

  private take(now: number): Delivery | undefined {
    // What may be too large for this receiver is locked first, so that it is not lost.
    const isPicky = this.link.asked.maxMessageSize < MAX_MESSAGE_BYTES;
    const stored = this.queue.take(now, this.removes && !isPicky, this.slot);
    return stored && { stored, lock: stored.lock };
  }

  private send({ stored, lock }: Delivery): void {
    const bytes = writeMessage(stored.message, stored.deliveryCount, stampsOf(stored, lock?.until));
    if (bytes.length > this.link.asked.maxMessageSize && lock !== undefined) {
      // Given back unharmed, for somebody who takes larger ones.
      this.queue.release(stored, this.host.now(), 0);
      this.link.refuse(messageTooLarge(this.link.asked.maxMessageSize));
      return;
    }
    this.link.send({
      tag: lock?.token ?? Buffer.alloc(16, stored.sequence),
      body: [bytes],
      settled: this.removes,
      token: this.removes ? undefined : lock && { stored, lock },
    });
    if (this.removes && lock !== undefined) this.queue.remove(stored);
  }

  /** A delivery that meets a fault; whether others may go on. */
  private troubled(effect: BusEffect, now: number): boolean {
    const error = errorBy(effect);
    const cut = (): void => {
      this.link.session.connection.drop();
    };
    if (error !== undefined) this.link.refuse(error);
    else if (effect.kind === 'outage') cut();
    else if (effect.kind === 'delay' && effect.when !== 'after') this.pause(effect.ms, () => undefined);
    else {
      const delivery = this.take(now);
      if (delivery === undefined) return false;
      this.deliverBadly(effect, delivery, now, cut);
    }
    return true;
  }

  private deliverBadly(effect: BusEffect, delivery: Delivery, now: number, cut: () => void): void {
    const { stored, lock } = delivery;
    switch (effect.kind) {
      case 'withhold-answer':
        return;
      case 'drop-after-effect':
        cut();
        return;
      case 'delay':
        this.pause(effect.ms, () => {
          if (this.link.isOpen) this.send(delivery);
        });
        return;
      default:
        this.send(delivery);
    }
    if (effect.kind === 'lose-lock' && lock !== undefined) this.queue.release(stored, now, 1);
    if (effect.kind !== 'duplicate-delivery') return;
    if (lock !== undefined) this.queue.release(stored, now, 1);
    // To this link rather than another; without credit it arrives with the next.
    if (!this.link.ready) return;
    const again = lock === undefined ? delivery : this.take(now);
    if (again !== undefined) this.send(again);
  }

  private pause(ms: number, then: () => void): void {
    this.isPaused = true;
    setTimeout(() => {
      this.isPaused = false;
      then();
      this.host.hungry(this.queue);
    }, ms).unref();
  }

  /** Applies an outcome, or keeps it until its transaction ends; what to answer. Throws `Refused`. */
  private carryOut(delivered: Delivered, state: DeliveryState): Put {
    if (state.kind !== 'transactional') {
      const outcome = outcomeOf(state);
      apply(delivered, outcome, this.host.now());
      return asAsked(outcome);
    }
    const { transaction, outcome } = state;
    if (outcome === undefined) throw notImplemented('a settlement within a transaction without an outcome');
    const { stored, lock } = delivered;
    this.transactions.join(transaction, {
      check: () => {
        stored.queue.locked(lock.key, this.host.now());
        if (outcome.kind === 'rejected' && stored.queue.isDeadLetterQueue)
          throw notAllowed('A message of a dead-letter queue cannot be dead-lettered again');
      },
      apply: () => {
        apply(delivered, outcome, this.host.now());
      },
    });
    return within(transaction, asAsked(outcome));
  }

  private settle(delivered: Delivered, state: DeliveryState, id: number, settled: boolean): void {
    const { link, host } = this;
    const say = (put: Put): void => {
      if (!settled) link.settle(id, put);
    };
    host.attempt({
      operation: 'settle',
      target: this.queue.path,
      run: (answer) => {
        try {
          const outcome = this.carryOut(delivered, state);
          host.whenDurable(() => {
            answer(() => {
              say(outcome);
            });
          });
        } catch (error) {
          answer(() => {
            say(rejected(asRefused(error)));
          });
        }
      },
      refuse: (error) => {
        say(rejected(error));
      },
      detach: (error) => {
        link.refuse(error);
      },
      cut: () => {
        link.session.connection.drop();
      },
    });
  }
}

function outcomeOf(state: DeliveryState): Outcome {
  switch (state.kind) {
    case 'received':
    case 'transactional':
    case 'unknown':
      throw notImplemented(`delivery state ${state.kind === 'unknown' ? state.name : state.kind}`);
    default:
      return state;
  }
}

function apply({ stored, lock }: Delivered, outcome: Outcome, now: number): void {
  const { queue } = stored;
  switch (outcome.kind) {
    case 'accepted':
      queue.complete(stored, lock, now);
      return;
    case 'released':
      queue.abandon(stored, lock, now);
      return;
    case 'modified': {
      const changes = modifications(outcome.annotations);
      if (outcome.undeliverableHere) queue.defer(stored, lock, now, changes);
      else queue.abandon(stored, lock, now, changes);
      return;
    }
    case 'rejected':
      queue.deadLetter(stored, lock, now, deadLetterChanges(outcome.error));
      return;
  }
}

/**
 * Why a message was rejected: what the SDKs say in the map of the error, or the error itself of a client that knows
 * only AMQP.
 */
function deadLetterChanges(error: Fields | undefined): Modifications {
  const changes = new Map(modifications(error?.at(2)));
  const [condition, description] = [error?.at(0), error?.at(1)];
  if (condition === DEAD_LETTER || changes.has('DeadLetterReason')) return changes;
  const note = (name: string, value: unknown): void => {
    if (typeof value === 'string' && value !== '')
      changes.set(name, bytesOf(string(value.slice(0, LONGEST_REASON))));
  };
  note('DeadLetterReason', condition);
  note('DeadLetterErrorDescription', description);
  return changes;
}

/** Shares the messages of a queue among its receivers, one each in turn. */
export class Dispatcher {
  readonly receivers: Receiver[] = [];
  private turn = 0;

  constructor(readonly queue: Queue) {}

  add(receiver: Receiver): void {
    this.receivers.push(receiver);
    this.queue.receivers++;
  }

  remove(receiver: Receiver): void {
    const at = this.receivers.indexOf(receiver);
    if (at < 0) return;
    this.receivers.splice(at, 1);
    this.queue.receivers--;
  }

  pump(now: number): void {
    if (isDisabled(this.queue.settings.status, 'ReceiveDisabled')) return;
    if (this.queue.needsSession) {
      for (const receiver of [...this.receivers])
        while (receiver.ready && receiver.next(now)) receiver.link.session.connection.headStart();
      return;
    }
    while (this.queue.hasReady) {
      const receiver = this.nextReady();
      if (receiver === undefined || !receiver.next(now)) return;
      receiver.link.session.connection.headStart();
    }
  }

  private nextReady(): Receiver | undefined {
    const { receivers } = this;
    for (let n = 0; n < receivers.length; n++) {
      this.turn = (this.turn + 1) % receivers.length;
      const receiver = receivers[this.turn];
      if (receiver?.ready === true) return receiver;
    }
    return undefined;
  }
}
