/** A caller that was quiet may ask so many seconds' worth at once: instances start together. */
const BURST_SECONDS = 5;
/** By then those are forgotten that may ask without waiting anyway. */
const REMEMBERED = 1_000;

/**
 * How many requests each caller may make. A caller is a time: the one at which all that it asked for would be paid
 * off at the allowed pace. While that is at most the burst ahead of now, it may ask.
 */
export class RequestBudget {
  private readonly paidOffAt = new Map<string, number>();

  constructor(
    private readonly perSecond: number,
    /** Milliseconds of a clock that never goes back. */
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Counts a request. 0: it may pass; else it does not count, and may come again in so many milliseconds. */
  take(caller: string): number {
    const now = this.now();
    const costMs = 1_000 / this.perSecond;
    const paidOffAt = Math.max(this.paidOffAt.get(caller) ?? now, now) + costMs;
    const waitMs = paidOffAt - now - BURST_SECONDS * 1_000;
    if (waitMs > 0) return waitMs;
    this.paidOffAt.set(caller, paidOffAt);
    if (this.paidOffAt.size > REMEMBERED) this.#forget(now);
    return 0;
  }

  get remembered(): number {
    return this.paidOffAt.size;
  }

  #forget(now: number): void {
    for (const [caller, at] of this.paidOffAt) if (at <= now) this.paidOffAt.delete(caller);
  }
}
