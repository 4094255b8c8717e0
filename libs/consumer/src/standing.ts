// Whether the notifier may still count on this instance, and what the instance owes it when not.

/** Without an answer for a whole lease the notifier has to take this instance for silent. */
export function isLapsed({
  answeredAt,
  leaseMs,
  now,
}: {
  answeredAt: number;
  leaseMs: number;
  now: number;
}): boolean {
  return now - answeredAt >= leaseMs;
}

/**
 * A key may be used for `rereadMs` after it was last confirmed, by a heartbeat's answer or by Key Vault itself:
 * this is what the notifier relies on when it goes on without a silent instance. Reading starts at half of it and
 * is looked at every quarter, which leaves a quarter for the reading.
 */
export function isRereadDue({
  confirmedAt,
  rereadMs,
  now,
}: {
  confirmedAt: number;
  rereadMs: number;
  now: number;
}): boolean {
  return now - confirmedAt >= rereadMs / 2;
}

export function lookEveryMs(rereadMs: number): number {
  return rereadMs / 4;
}
