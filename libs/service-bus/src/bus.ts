import type { DeadLetters } from './dead-letters.js';
import type { Settlement } from './settlement.js';

/** Where messages are received: a queue, or one subscription of a topic. */
export type EntitySource =
  { readonly queue: string } | { readonly topic: string; readonly subscription: string };

export interface OutgoingMessage {
  /** At most 128 characters; duplicate detection drops a second message with the same id. */
  readonly id: string;
  /** Travels as JSON. */
  readonly body: unknown;
  readonly subject?: string;
  /** W3C trace parent of the work that caused this message. */
  readonly traceparent?: string;
  /** The broker holds the message back until then. */
  readonly scheduledAt?: Date;
}

export interface ReceivedMessage {
  readonly id: string;
  /** The parsed JSON, or the raw bytes when they are no JSON. */
  readonly body: unknown;
  readonly subject?: string;
  readonly traceparent?: string;
  /** 1 for the first delivery. */
  readonly deliveryCount: number;
  readonly enqueuedAt: Date;
  /** Aborted when the lock is lost or the receiver closes: what is done from then on, someone else may do too. */
  readonly abandoned: AbortSignal;
}

export interface ReceiveOptions {
  /** Messages handled at the same time; 16 unless told. */
  readonly maxConcurrent?: number;
}

/** One open receiver. */
export interface Receiving {
  /** Stops receiving, waits for what is in flight and settles it, then closes the link. */
  close(): Promise<void>;
}

export interface Subscriptions {
  /** Makes the subscription unless it exists. `autoDeleteOnIdleSeconds` (≥ 300) lets the broker forget it when nobody receives. */
  ensure(
    topic: string,
    subscription: string,
    options?: { readonly autoDeleteOnIdleSeconds?: number },
  ): Promise<void>;
  /** Removes the subscription; one that is not there is fine. */
  remove(topic: string, subscription: string): Promise<void>;
}

/** A connection to one Service Bus namespace. Every method fails with a TransientFault or a PermanentFault. */
export interface Bus {
  /** Resolves when the broker has accepted every message. After a failure some may have been accepted: send them all again. */
  send(entity: string, messages: readonly OutgoingMessage[]): Promise<void>;
  /**
   * Hands every message to `handle` and carries out the settlement that it returns; a rejection is settled by
   * `settlementOf`. Reconnects for as long as it is open, so it resolves also while the broker is away.
   */
  receive(
    source: EntitySource,
    options: ReceiveOptions,
    handle: (message: ReceivedMessage) => Promise<Settlement>,
  ): Promise<Receiving>;
  deadLetters(source: EntitySource): DeadLetters;
  readonly subscriptions: Subscriptions;
  /**
   * TransientFault `bus-unreachable` or PermanentFault `bus-unauthorized` when the bus cannot be used now. Looks at
   * the head of `source`, or of what was received from last.
   */
  ping(source?: EntitySource): Promise<void>;
  /** Closes every receiver (see `Receiving.close`), then the connection. */
  close(): Promise<void>;
}

/** What the bus tells of itself; pino's loggers fit. */
export interface BusLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
