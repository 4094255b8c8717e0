// When a webhook is tried again. The switch waits until its deadline, so the attempts must lie before it, however short
// it is; afterwards a late acknowledgement still opens the gate, and there is time.

/** After the first, the second … failed attempt. */
const PAUSES_MS = [5, 15, 60, 120, 300, 600, 900].map((seconds) => seconds * 1000);

/** An endpoint that is down is asked no more often than this, however near the deadline is. */
const LEAST_PAUSE_MS = 5_000;

/** A receiver may ask to be left alone for so long; what asks for more is mistaken or malicious. */
const LONGEST_REST_MS = 24 * 60 * 60 * 1000;

/** How long a message is tried after its deadline. */
export const LATE_MS = 24 * 60 * 60 * 1000;

export interface Tried {
  /** How many attempts have failed since the message was put into the line. */
  readonly tries: number;
  readonly now: number;
  readonly deadlineAt: number;
  /** No attempt is begun after this time. */
  readonly untilAt: number;
  /** For how long the receiver asked to be left alone. */
  readonly retryAfterMs?: number | undefined;
  /** At least 0 and below 1: receivers that failed together are not asked together. */
  readonly chance: number;
}

/**
 * The moment of the next attempt; null: there is none. Pauses grow to a quarter of an hour, a fifth more or less. Before
 * the deadline none is longer than a third of what is left, so that a short one sees several attempts and a long one
 * sees the last ones close to its end. What the receiver asks for is kept, even beyond the deadline.
 */
export function nextAttemptAt({
  tries,
  now,
  deadlineAt,
  untilAt,
  retryAfterMs = 0,
  chance,
}: Tried): number | null {
  const usual = PAUSES_MS[Math.min(tries, PAUSES_MS.length) - 1] ?? LEAST_PAUSE_MS;
  const spread = usual * (0.8 + 0.4 * chance);
  const left = deadlineAt - now;
  const fitted = left > 0 ? Math.min(spread, left / 3) : spread;
  const pause = Math.max(
    fitted,
    LEAST_PAUSE_MS * (0.8 + 0.4 * chance),
    Math.min(retryAfterMs, LONGEST_REST_MS),
  );
  const at = Math.round(now + pause);
  return at > untilAt ? null : at;
}
