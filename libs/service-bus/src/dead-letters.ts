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
   * so the id of the event in it) stays what it was; only the id of the bus message is new.
   */
  replay(selection: ReplaySelection): Promise<readonly ReplayedDeadLetter[]>;
}
