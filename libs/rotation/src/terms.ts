// The numbers a plan goes by: the account's policy and the installation's timing assumptions.
import type { KeyRing } from './key-ring.js';

export interface Terms {
  /** Time after a call was given up in which the server may still execute it, clock skew included. */
  readonly quiescenceMs: number;
  /** Budget of one mutating call; it must fit into the lease. */
  readonly callDeadlineMs: number;
  readonly acknowledgeWithinMs: number;
  readonly onOverdue: 'hold' | 'force';
  /** How long after its switch an instance may still have calls in flight that the older key signed. */
  readonly drainMs: number;
  /** How often a probe may disagree (new key refused, old key accepted) before a person is asked. */
  readonly probeTries: number;
  readonly probePauseMs: number;
  /** How long after a deadline the notifier may stay silent before it is asked again. */
  readonly outcomePatienceMs: number;
  /** After a restore: the time in which every living instance registers anew; absent: the quiescence. */
  readonly registryRebuildMs?: number;
  /** What holds instead while a leaked key is retired; absent: nothing else. */
  readonly emergency?: Pick<Terms, 'acknowledgeWithinMs' | 'onOverdue'>;
}

/** What an account's policy says. */
export type PolicyTerms = Pick<Terms, 'acknowledgeWithinMs' | 'onOverdue' | 'drainMs' | 'emergency'>;

/** The terms of the rotation that is being worked on. */
export function termsFor<Some extends PolicyTerms>({ rotation }: KeyRing, terms: Some): Some {
  return rotation?.scope === 'emergency' ? { ...terms, ...terms.emergency } : terms;
}
