import type { OutgoingLink } from '../amqp/link.js';
import { accepted, rejected, type Outcome } from '../amqp/performatives.js';
import { AmqpMap } from '../amqp/reader.js';
import { asRefused, type Refused } from '../errors.js';
import { writeMessage } from '../state/message.js';
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
    link.onOutcome = (token, outcome, id, settled) => {
      this.settle(token as Delivered, outcome, id, settled);
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

  private settle(delivered: Delivered, outcome: Outcome | undefined, id: number, settled: boolean): void {
    const answer = (state: Parameters<OutgoingLink['settle']>[1]): void => {
      if (!settled) this.link.settle(id, state);
    };
    this.host.disturb(
      this.queue.path,
      () => {
        try {
          if (outcome !== undefined) apply(delivered, outcome, this.host.now());
        } catch (error) {
          answer(rejected(asRefused(error)));
          return;
        }
        // Never the client's own `rejected`: its SDK would take that for a failure.
        this.host.whenDurable(() => {
          answer(accepted);
        });
      },
      (error) => {
        answer(rejected(error));
      },
    );
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
      queue.deadLetter(stored, lock, now, modifications(outcome.error?.at(2)));
      return;
  }
}

/** Changes of application properties, passed on in the encoding they came in. */
export function modifications(value: unknown): Modifications {
  return new Map(value instanceof AmqpMap ? value.encodedEntries() : []);
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
    if (this.queue.settings.requiresSession && !this.queue.isDeadLetterQueue) {
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
