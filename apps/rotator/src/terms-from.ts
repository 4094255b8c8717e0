// The installation's timing assumptions, checked against each other.
import type { RotationPolicy } from '@twinkey/contracts';
import type { PolicyTerms } from '@twinkey/rotation';
import type { InstallationTerms } from './advance.js';
import type { WorkTimes } from './work.js';

const PROBE_TRIES = 30;
const OUTCOME_PATIENCE_MS = 30_000;
/** Twice the usual lease of an instance: whoever lives has sent a heartbeat by then, and registered anew. */
const REGISTRY_REBUILD_MS = 60_000;

export interface TimingConfig {
  readonly quiescenceSeconds: number;
  readonly callDeadlineSeconds: number;
  readonly accountLeaseSeconds: number;
}

/**
 * Throws when a call could outlive its lease: a worker that lost the lease might then still be heard by Azure.
 */
export function termsFrom({ quiescenceSeconds, callDeadlineSeconds, accountLeaseSeconds }: TimingConfig): {
  terms: InstallationTerms;
  times: WorkTimes;
} {
  if (accountLeaseSeconds < 2 * callDeadlineSeconds + 2) {
    throw new Error(
      `TWINKEY_ACCOUNT_LEASE_SECONDS (${accountLeaseSeconds}) must be at least twice TWINKEY_CALL_DEADLINE_SECONDS (${callDeadlineSeconds}) plus 2: a call must end while the lease is surely ours.`,
    );
  }
  const callDeadlineMs = callDeadlineSeconds * 1_000;
  return {
    terms: {
      quiescenceMs: quiescenceSeconds * 1_000,
      callDeadlineMs,
      probeTries: PROBE_TRIES,
      probePauseMs: 1_000,
      outcomePatienceMs: OUTCOME_PATIENCE_MS,
      registryRebuildMs: Math.max(REGISTRY_REBUILD_MS, quiescenceSeconds * 1_000),
    },
    times: { leaseMs: accountLeaseSeconds * 1_000, callDeadlineMs },
  };
}

/** A leaked key is in the wrong hands: its consumers get minutes. Whoever stays silent holds it all the same. */
const EMERGENCY = { acknowledgeWithinSeconds: 900, onOverdue: 'hold' } as const;

/** What the policy of one account says. */
export function policyTerms({
  acknowledgeWithinSeconds,
  onOverdue,
  drainSeconds,
  emergency = EMERGENCY,
}: RotationPolicy): PolicyTerms {
  return {
    acknowledgeWithinMs: acknowledgeWithinSeconds * 1_000,
    onOverdue,
    drainMs: drainSeconds * 1_000,
    emergency: {
      acknowledgeWithinMs: emergency.acknowledgeWithinSeconds * 1_000,
      onOverdue: emergency.onOverdue,
    },
  };
}
