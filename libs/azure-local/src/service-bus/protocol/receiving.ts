import type { OutgoingLink } from '../amqp/link.js';
import { asAsked, rejected, type DeliveryState, type Outcome } from '../amqp/performatives.js';
import type { Fields } from '../amqp/fields.js';
import { bytesOf, string, type Put } from '../amqp/put.js';
import { asRefused, notImplemented, type Refused } from '../errors.js';
import { writeMessage } from '../state/message.js';
import { modifications } from './modifications.js';
import { isDisabled } from './request.js';
import type { Queue } from '../state/queue.js';
import { stampsOf, type Modifications } from '../state/stamps.js';
import type { SessionSlot } from '../state/session-slot.js';
import type { Lock, Stored } from '../state/stored.js';

export interface ReceivingHost {
  now(): number;
  whenDurable(then: () => void): void;
  hungry(queue: Queue): void;
  disturb(path: string, go: () => void, fail: (error: Refused) => void): void;
}

const DEAD_LETTER = 'com.microsoft:dead-letter';
const LONGEST_REASON = 4096;

interface Delivered {
  readonly stored: Stored;
  readonly lock: Lock;
}

/** A link on which a client receives from a queue, or from one session of it. */
export class Receiver {
  private readonly removes: boolean;

  constructor(
    readonly link: OutgoingLink,
    readonly queue: Queue,
    readonly slot: SessionSlot | undefined,
    private readonly host: ReceivingHost,
  ) {
    this.removes = link.asked.senderSettles === 1;
    link.onOutcome = (token, state, id, settled) => {
      // Settled without an outcome: the lock stands until it ends, as the client may still settle by its token.
      if (state !== undefined) this.settle(token as Delivered, state, id, settled);
    };
  }

  /** Sends one message if there is one. */
  next(now: number): boolean {
    const stored = this.queue.take(now, this.removes, this.slot);
    if (stored === undefined) return false;
    const { lock } = stored;
    this.link.send({
      tag: lock?.token ?? Buffer.alloc(16, stored.sequence),
      body: [writeMessage(stored.message, stored.deliveryCount, stampsOf(stored, lock?.until))],
      settled: this.removes,
      token: lock && { stored, lock },
    });
    return true;
  }

  private settle(delivered: Delivered, state: DeliveryState, id: number, settled: boolean): void {
    const answer = (put: Put): void => {
      if (!settled) this.link.settle(id, put);
    };
    this.host.disturb(
      this.queue.path,
      () => {
        try {
          const outcome = outcomeOf(state);
          apply(delivered, outcome, this.host.now());
          this.host.whenDurable(() => {
            answer(asAsked(outcome));
          });
        } catch (error) {
          answer(rejected(asRefused(error)));
        }
      },
      (error) => {
        answer(rejected(error));
      },
    );
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
      for (const receiver of this.receivers) while (receiver.link.ready && receiver.next(now)) continue;
      return;
    }
    while (this.queue.hasReady) {
      const receiver = this.nextReady();
      if (receiver === undefined || !receiver.next(now)) return;
    }
  }

  private nextReady(): Receiver | undefined {
    const { receivers } = this;
    for (let n = 0; n < receivers.length; n++) {
      this.turn = (this.turn + 1) % receivers.length;
      const receiver = receivers[this.turn];
      if (receiver?.link.ready === true) return receiver;
    }
    return undefined;
  }
}
