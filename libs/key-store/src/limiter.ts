// A mirror of Resource Manager's token bucket for writes (200 at once, 10 per second, per subscription and
// identity), kept a hair below it so that ours runs dry first: a 429 costs more than the wait it announces.
import { setTimeout as wait } from 'node:timers/promises';

export interface LimiterClock {
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

const REAL_CLOCK: LimiterClock = {
  now: () => performance.now(),
  wait: async (ms) => {
    await wait(ms);
  },
};

const BURST = 198;
const PER_SECOND = 9.97;

export type Grant = { readonly granted: true } | { readonly granted: false; readonly retryAfterMs: number };

interface Waiter {
  readonly until: number;
  readonly settle: (grant: Grant) => void;
}

/**
 * Take a token, send, then say how it ended: `answered` (always), with what the answer told about the bucket;
 * or `unused` when nothing was sent. Tokens are handed out in the order of asking; the calls are not serialised.
 */
export class WriteLimiter {
  readonly #clock: LimiterClock;
  readonly #burst: number;
  readonly #perMs: number;
  readonly #waiting: Waiter[] = [];
  #tokens: number;
  #countedAt: number;
  #closedUntil = -Infinity;
  #inFlight = 0;
  #pumping = false;

  constructor({
    clock = REAL_CLOCK,
    burst = BURST,
    perSecond = PER_SECOND,
  }: { clock?: LimiterClock; burst?: number; perSecond?: number } = {}) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perMs = perSecond / 1000;
    this.#tokens = burst;
    this.#countedAt = clock.now();
  }

  /** How long a token asked for now would take, in milliseconds; 0 when it is there. */
  delayMs(): number {
    this.#refill();
    const missing = this.#waiting.length + 1 - this.#tokens;
    const closed = Math.max(0, this.#closedUntil - this.#clock.now());
    return Math.max(closed, missing <= 0 ? 0 : missing / this.#perMs);
  }

  /** Waits for a token, but not for one that cannot come within `withinMs`: then it says at once when to ask again. */
  take({ withinMs }: { withinMs: number }): Promise<Grant> {
    const delay = this.delayMs();
    if (delay > withinMs) return Promise.resolve({ granted: false, retryAfterMs: Math.ceil(delay) });
    if (delay === 0) {
      this.#spend();
      return Promise.resolve({ granted: true });
    }
    return new Promise((settle) => {
      this.#waiting.push({ until: this.#clock.now() + withinMs, settle });
      void this.#pump();
    });
  }

  /** The granted call ended. `remaining` is what the answer's header said is left of the real bucket. */
  answered({ remaining, retryAfterMs }: { remaining?: number; retryAfterMs?: number } = {}): void {
    this.#inFlight -= 1;
    this.#refill();
    // Only ever downwards: the header is older than the calls that are still on their way.
    if (remaining !== undefined) this.#tokens = Math.min(this.#tokens, remaining - this.#inFlight);
    if (retryAfterMs !== undefined) {
      // Someone else took the tokens. When the door opens there is one, as far as we know.
      this.#closedUntil = Math.max(this.#closedUntil, this.#clock.now() + retryAfterMs);
      this.#tokens = Math.min(this.#tokens, 1 - (this.#closedUntil - this.#clock.now()) * this.#perMs);
    }
  }

  /** The granted call was never sent: the token is still ours. */
  unused(): void {
    this.#inFlight -= 1;
    this.#refill();
    this.#tokens = Math.min(this.#burst, this.#tokens + 1);
  }

  #spend(): void {
    this.#tokens -= 1;
    this.#inFlight += 1;
  }

  #refill(): void {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#countedAt) * this.#perMs);
    this.#countedAt = now;
  }

  /** One loop serves all who wait; it looks again after each wait, since an answer may have closed the door. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const delay = this.#delayOfFirst();
      const now = this.#clock.now();
      if (delay <= 0) {
        this.#waiting.shift();
        this.#spend();
        next.settle({ granted: true });
      } else if (now + delay > next.until) {
        this.#waiting.shift();
        next.settle({ granted: false, retryAfterMs: Math.ceil(delay) });
      } else {
        await this.#clock.wait(Math.ceil(delay));
      }
    }
    this.#pumping = false;
  }

  #delayOfFirst(): number {
    this.#refill();
    const closed = this.#closedUntil - this.#clock.now();
    return Math.max(closed, (1 - this.#tokens) / this.#perMs);
  }
}
