import type { StoredOutboxMessage } from './outbox.js';
import type { ClaimScope } from './sql/claim-outbox.js';

const firstDelayMs = 100;
const longestDelayMs = 10_000;

/**
 * What a relay learns from sends that fail. One message that the broker will never take must hold back its own order
 * key and nothing else, and a broker that is down must not be hammered with every key in turn.
 *
 *     all keys --a batch of several fails--> half as many keys --…--> one key --fails--> that key backs off
 *        ^                                                                                      |
 *        +--- each success doubles the number ------- tried alone when its time has come -------+
 *
 * The pause after a failure grows with the number of different things that failed since the last success: one bad
 * key costs the others a tenth of a second, a broker that is away is soon asked every ten seconds only.
 */
export class FailingKeys {
  readonly #failing = new Map<string, { readonly failures: number; readonly retryAt: number }>();
  readonly #failedSinceSuccess = new Set<string>();
  #keysAtOnce = Infinity;
  #othersFirst = false;

  /**
   * What to claim now: a failing key whose time has come, alone, or everything that does not fail. A key that has
   * just failed lets the others go first, since its time may have come again by the end of the pause.
   */
  scope(now: number): ClaimScope {
    const due = this.#othersFirst ? undefined : this.#due(now);
    this.#othersFirst = false;
    if (due !== undefined) return { except: [], only: due };
    return { except: [...this.#failing.keys()], only: null };
  }

  /** As many of the claimed messages as may be tried together. */
  narrow(messages: readonly StoredOutboxMessage[]): readonly StoredOutboxMessage[] {
    const keys = new Set<string>();
    return messages.filter(({ orderKey }) => {
      if (keys.size < this.#keysAtOnce) keys.add(orderKey);
      return keys.has(orderKey);
    });
  }

  /** Also when a failing key has nothing to send any more: another relay was luckier. */
  succeeded({ only }: ClaimScope): void {
    if (only !== null) this.#failing.delete(only);
    this.#failedSinceSuccess.clear();
    this.#keysAtOnce *= 2;
  }

  /** Returns for how many milliseconds to leave the broker alone. */
  failed(messages: readonly StoredOutboxMessage[], now: number, retryAfterMs = 0): number {
    const keys = new Set(messages.map(({ orderKey }) => orderKey));
    const [key] = keys;
    if (keys.size === 1 && key !== undefined) {
      const failures = (this.#failing.get(key)?.failures ?? 0) + 1;
      this.#failing.set(key, { failures, retryAt: now + delayAfter(failures) });
      this.#othersFirst = true;
    }
    this.#failedSinceSuccess.add([...keys].join('\n'));
    this.#keysAtOnce = Math.max(1, Math.floor(keys.size / 2));
    return Math.max(retryAfterMs, delayAfter(this.#failedSinceSuccess.size));
  }

  /** Milliseconds until a failing key's time has come; null when none fails. */
  nextRetryIn(now: number): number | null {
    const times = [...this.#failing.values()].map(({ retryAt }) => retryAt);
    return times.length === 0 ? null : Math.max(0, Math.min(...times) - now);
  }

  #due(now: number): string | undefined {
    for (const [key, { retryAt }] of this.#failing) if (retryAt <= now) return key;
    return undefined;
  }
}

/** Doubles from 100 ms to 10 s; up to half of it is left to chance, so that replicas do not knock in step. */
function delayAfter(failures: number): number {
  const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1));
  return delay * (0.5 + Math.random() / 2);
}
