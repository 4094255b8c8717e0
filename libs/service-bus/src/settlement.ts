import { ENTITY_DEFAULTS, isInterrupted, isPermanentFault, isTransientFault } from '@twinkey/contracts';

/** What becomes of a received message. */
export type Settlement =
  | { readonly settle: 'complete' }
  /** Delivered again after the delay; longer delays than the bus can keep a lock for are cut short. */
  | { readonly settle: 'redeliver'; readonly delayMs: number }
  | { readonly settle: 'dead-letter'; readonly reason: string; readonly description: string }
  /** Given back at once, if the lock is still ours. */
  | { readonly settle: 'release' };

export type Outcome = { readonly returned: true } | { readonly threw: unknown };

/**
 * Waits before the second, third … delivery. Together they last about two and a half minutes, so that a restart
 * of the database or a throttled neighbour does not use up a message; the last one repeats.
 */
const REDELIVERY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;
export const LONGEST_DELAY_MS = 30_000;

/**
 * The last delivery is dead-lettered by us, not by the broker: the broker would only say that the deliveries
 * are used up, we can say what went wrong.
 */
const LAST_DELIVERY = ENTITY_DEFAULTS.maxDeliveryCount;

/** The broker refuses longer descriptions together with the properties of a message. */
const LONGEST_DESCRIPTION = 1_000;

/**
 * The one rule that turns a handler's outcome into a settlement. Only a handler that returned completes its
 * message. `deliveryCount` is 1 for the first delivery.
 */
export function settlementOf(outcome: Outcome, deliveryCount: number): Settlement {
  if ('returned' in outcome) return { settle: 'complete' };
  const error = outcome.threw;
  if (isInterrupted(error)) return { settle: 'release' };
  if (isPermanentFault(error)) {
    return deadLetter(
      error.code,
      error.remedy === undefined ? error.message : `${error.message} ${error.remedy}`,
    );
  }
  if (deliveryCount >= LAST_DELIVERY) return deadLetter('DeliveriesExhausted', describe(error));
  const wanted = isTransientFault(error) ? error.retryAfterMs : undefined;
  return { settle: 'redeliver', delayMs: Math.min(wanted ?? delayAfter(deliveryCount), LONGEST_DELAY_MS) };
}

function delayAfter(deliveryCount: number): number {
  return REDELIVERY_DELAYS_MS[deliveryCount - 1] ?? LONGEST_DELAY_MS;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `Something that is no error was thrown: ${String(error)}`;
  return isTransientFault(error) ? `${error.code}: ${error.message}` : `${error.name}: ${error.message}`;
}

function deadLetter(reason: string, description: string): Settlement {
  return { settle: 'dead-letter', reason, description: description.slice(0, LONGEST_DESCRIPTION) };
}
