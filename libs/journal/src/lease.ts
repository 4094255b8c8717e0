/** The right to act on something, until it runs out or is given back. */
export interface LeaseGrant {
  readonly name: string;
  /** One running process, not one replica's name: a process that restarts is someone else. */
  readonly holder: string;
  /** Grows with every change of hands; whoever shows an older one is fenced off. */
  readonly epoch: number;
  /** Local `performance.now()` until which the lease is surely ours, counted from before it was asked for. */
  readonly safeUntil: number;
}

/** How long an action may still take, in milliseconds; 0 when the lease may be someone else's. */
export function leaseRemainingMs(grant: LeaseGrant): number {
  return Math.max(0, grant.safeUntil - performance.now());
}
