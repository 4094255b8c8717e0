// What a relay does next, decided without a database, a broker or a clock.
import type { ClaimScope } from './sql/claim-outbox.js';

/** What a pass came to: go on at once, wait for something new, or leave the broker or the database alone. */
export type Pass = 'more' | 'done' | { readonly pauseMs: number };

/** Another relay of this schema is sending. */
export const turnTaken: Pass = { pauseMs: 25 };
export const databaseAway: Pass = { pauseMs: 500 };

export interface Sent {
  readonly scope: ClaimScope;
  /** How many messages were claimed, how many of them sent, and how many may be claimed at once. */
  readonly claimed: number;
  readonly sent: number;
  readonly batch: number;
}

/**
 * What a pass came to in which nothing failed. Whoever claimed less than everything that may wait looks again at
 * once: a full batch, a claim that was narrowed, and a failing key that was tried alone leave others behind.
 */
export function afterSending({ scope, claimed, sent, batch }: Sent): Pass {
  return sent < claimed || claimed === batch || scope.only !== null ? 'more' : 'done';
}

/** Is it news that nothing failed? An empty outbox says nothing of the broker; a key with nothing to send is well. */
export function isSuccess({ scope, sent }: Pick<Sent, 'scope' | 'sent'>): boolean {
  return sent > 0 || scope.only !== null;
}

export interface Circumstances {
  readonly stopping: boolean;
  /** Something was appended since the pass began. */
  readonly woken: boolean;
  /** Milliseconds until a failing key's time has come; null: none fails. */
  readonly retryIn: number | null;
  readonly idleMs: number;
}

/** Pass again, end, or wait that long first; what is appended ends only a wait that `wakes`. */
export type Course = 'pass' | 'end' | { readonly waitMs: number; readonly wakes: boolean };

/** A relay that is stopped still empties the outbox, as long as nothing fails. */
export function courseAfter(pass: Pass, { stopping, woken, retryIn, idleMs }: Circumstances): Course {
  if (pass === 'more') return 'pass';
  if (stopping) return 'end';
  // Whoever appends must not drive the relay against a broker or a database that asked for peace.
  if (pass !== 'done') return { waitMs: pass.pauseMs, wakes: false };
  return woken ? 'pass' : { waitMs: Math.min(idleMs, retryIn ?? idleMs), wakes: true };
}
