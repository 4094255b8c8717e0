import type { Timing } from '../timing.js';

/** Time stands still until it is told to pass; then it stops at each moment for which somebody waits. */
export class HandTime implements Timing {
  #now: number;
  #waiting: { readonly at: number; readonly resolve: () => void }[] = [];
  readonly now = (): number => this.#now;
  readonly random = (): number => 0.999;

  constructor(start = '2026-01-01T00:00:00Z') {
    this.#now = Date.parse(start);
  }

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      this.#waiting.push({ at: this.#now + ms, resolve });
      signal.addEventListener('abort', () => {
        resolve();
      });
    });

  /** The process is frozen: time passes, and nothing that was waited for happens. */
  freeze(seconds: number): void {
    this.#now += seconds * 1000;
  }

  async pass(seconds: number): Promise<void> {
    const until = this.#now + seconds * 1000;
    await settled();
    for (;;) {
      const next = Math.min(...this.#waiting.map(({ at }) => at));
      if (next > until) break;
      this.#now = Math.max(this.#now, next);
      const due = this.#waiting.filter(({ at }) => at <= next);
      this.#waiting = this.#waiting.filter(({ at }) => at > next);
      for (const { resolve } of due) resolve();
      await settled();
    }
    this.#now = until;
  }
}

/** The longest chain of promises in this library has some thirty links. */
const TURNS = 200;

/** Everything has happened that waits for nothing but promises. Without timers, so that faked ones do not matter. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await Promise.resolve();
}
