import type {
  ServiceBusClient,
  ServiceBusMessage,
  ServiceBusReceivedMessage,
  ServiceBusReceiver,
} from '@azure/service-bus';
import { PermanentFault } from '@twinkey/contracts';
import type { EntitySource } from './bus.js';
import { createReceiver, entityOf, nameOf } from './entity.js';
import { toFault } from './faults.js';
import { replayedId } from './replayed-id.js';
import { sequenceNumber } from './sequence-number.js';
import { deliveryOf, idOf } from './wire.js';

/** A message that nobody could handle, as it lies in the dead-letter queue. */
export interface DeadLetter {
  /** The broker's number of the message, as decimal text: it may exceed 2^53. */
  readonly sequenceNumber: string;
  readonly id: string;
  readonly subject?: string;
  readonly reason?: string;
  readonly description?: string;
  readonly deliveryCount: number;
  readonly enqueuedAt: Date;
  readonly body: unknown;
}

export interface ReplayedDeadLetter {
  readonly sequenceNumber: string;
  /** Empty when it was not found. */
  readonly id: string;
  /** The id under which it was sent again; absent unless `replayed`. */
  readonly sentAs?: string;
  readonly outcome: 'replayed' | 'not-found';
}

export type ReplaySelection = { readonly sequenceNumbers: readonly string[] } | { readonly all: true };

export interface DeadLetters {
  /** Looks without locking, oldest first. `from` is the lowest sequence number to show. */
  list(options: { readonly max: number; readonly from?: string }): Promise<readonly DeadLetter[]>;
  /**
   * Sends dead letters to their entity again and removes them from the dead-letter queue, in this order: a crash
   * in between leaves both, and the next replay of the same dead letter is dropped as a duplicate. The body (and
   * so the id of the event in it) stays what it was; only the id of the bus message is new. A dead letter of a
   * subscription goes to its topic, so every subscription gets it: handlers know what they have handled.
   */
  replay(selection: ReplaySelection): Promise<readonly ReplayedDeadLetter[]>;
}

const BATCH = 100;
/** Long enough for a link to be opened on a busy machine; a queue that has messages answers in milliseconds. */
const EMPTY_AFTER_MS = 2_000;

export function deadLettersOf(client: ServiceBusClient, source: EntitySource): DeadLetters {
  const name = `${nameOf(source)}/$DeadLetterQueue`;

  /** A receiver of its own for each call: the SDK keeps its place in a queue per receiver. */
  const withReceiver = async <Result>(
    work: (receiver: ServiceBusReceiver) => Promise<Result>,
  ): Promise<Result> => {
    const receiver = createReceiver(client, source, { receiveMode: 'peekLock', subQueueType: 'deadLetter' });
    try {
      return await work(receiver);
    } catch (error) {
      throw toFault(error, name);
    } finally {
      await receiver.close();
    }
  };

  return {
    list: ({ max, from = '0' }) => withReceiver((receiver) => peek(receiver, max, from)),
    replay: (selection) =>
      withReceiver(async (receiver) => {
        const sender = client.createSender(entityOf(source));
        try {
          return await replay(selection, receiver, (message) => sender.sendMessages(message));
        } finally {
          await sender.close();
        }
      }),
  };
}

async function peek(receiver: ServiceBusReceiver, max: number, from: string): Promise<readonly DeadLetter[]> {
  const found: DeadLetter[] = [];
  let next = from;
  while (found.length < max) {
    // One call answers with what fits into one answer, not with everything that was asked for.
    const messages = await receiver.peekMessages(Math.min(max - found.length, BATCH), {
      fromSequenceNumber: sequenceNumber(next),
    });
    const last = messages.at(-1);
    if (last === undefined) break;
    found.push(...messages.map(toDeadLetter));
    next = (BigInt(numberOf(last)) + 1n).toString();
  }
  return found;
}

type Resend = (message: ServiceBusMessage) => Promise<void>;

/**
 * Goes through the queue under locks; what was not asked for is kept locked until the end and then given back.
 * `all` means all that lie there now: one that fails again meanwhile is another dead letter, and waits for the next
 * call.
 */
async function replay(
  selection: ReplaySelection,
  receiver: ServiceBusReceiver,
  resend: Resend,
): Promise<readonly ReplayedDeadLetter[]> {
  const wanted = new Set('all' in selection ? await allNumbers(receiver) : selection.sequenceNumbers);
  const done: ReplayedDeadLetter[] = [];
  const others: ServiceBusReceivedMessage[] = [];
  try {
    while (wanted.size > 0) {
      const messages = await receiver.receiveMessages(BATCH, { maxWaitTimeInMs: EMPTY_AFTER_MS });
      if (messages.length === 0) break;
      for (const message of messages) {
        const number = numberOf(message);
        if (!wanted.delete(number)) {
          others.push(message);
          continue;
        }
        const sentAs = replayedId(idOf(message), number);
        await resend(copyOf(message, sentAs));
        await receiver.completeMessage(message);
        done.push({ sequenceNumber: number, id: idOf(message), sentAs, outcome: 'replayed' });
      }
    }
  } finally {
    await Promise.all(others.map((message) => receiver.abandonMessage(message)));
  }
  const missed = [...wanted].map((number) => ({
    sequenceNumber: number,
    id: '',
    outcome: 'not-found' as const,
  }));
  return [...done, ...missed];
}

async function allNumbers(receiver: ServiceBusReceiver): Promise<readonly string[]> {
  const letters = await peek(receiver, Number.POSITIVE_INFINITY, '0');
  return letters.map((letter) => letter.sequenceNumber);
}

/** What the broker notes on a dead letter; the copy starts without. */
const NOTES: readonly string[] = ['DeadLetterReason', 'DeadLetterErrorDescription'];

function copyOf(message: ServiceBusReceivedMessage, messageId: string): ServiceBusMessage {
  const { contentType, subject, applicationProperties = {} } = message;
  const properties = Object.entries(applicationProperties).filter(([name]) => !NOTES.includes(name));
  return {
    messageId,
    body: message.body as unknown,
    applicationProperties: Object.fromEntries(properties),
    ...(contentType === undefined ? {} : { contentType }),
    ...(subject === undefined ? {} : { subject }),
  };
}

function numberOf({ sequenceNumber: number }: ServiceBusReceivedMessage): string {
  if (number === undefined)
    throw new PermanentFault('bus-failed', 'Service Bus delivered a message without a number.');
  return number.toString();
}

function toDeadLetter(message: ServiceBusReceivedMessage): DeadLetter {
  const { subject, deadLetterReason: reason, deadLetterErrorDescription: description } = message;
  return {
    sequenceNumber: numberOf(message),
    id: idOf(message),
    ...(subject === undefined ? {} : { subject }),
    ...(reason === undefined ? {} : { reason }),
    ...(description === undefined ? {} : { description }),
    deliveryCount: deliveryOf(message),
    enqueuedAt: message.enqueuedTimeUtc ?? new Date(0),
    body: message.body as unknown,
  };
}
