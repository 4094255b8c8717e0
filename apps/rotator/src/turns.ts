// Who is looked at next. One account is never looked at twice at a time in this process; an account that is asked
// for meanwhile gets another turn right after.
//
//   idle --ask--> waiting --free hand--> looked at --asked meanwhile--> waiting, else --> idle
//   stop: no new turns; resolves when those under way are over
import type { AccountId } from '@twinkey/contracts';

/** Node fires a timer beyond this at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Turns {
  readonly #waiting = new Set<AccountId>();
  readonly #running = new Map<AccountId, Promise<void>>();
  readonly #timers = new Map<AccountId, NodeJS.Timeout>();
  #serve: ((account: AccountId) => Promise<void>) | undefined;
  #stopping = false;

  constructor(private readonly hands: number) {}

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Who does the looking; it handles its own faults. */
  serve(turn: (account: AccountId) => Promise<void>): void {
    this.#serve = turn;
  }

  ask(account: AccountId): void {
    if (this.#stopping) return;
    clearTimeout(this.#timers.get(account));
    this.#timers.delete(account);
    this.#waiting.add(account);
    this.#next();
  }

  /**
   * The latest wish counts, since it comes from the newest look; the sweep of the database stands behind it after a
   * restart.
   */
  askLater(account: AccountId, inMs: number): void {
    if (this.#stopping) return;
    clearTimeout(this.#timers.get(account));
    const timer = setTimeout(
      () => {
        this.ask(account);
      },
      Math.min(Math.max(inMs, 0), LONGEST_TIMER_MS),
    );
    timer.unref();
    this.#timers.set(account, timer);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#waiting.clear();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#running.values());
  }

  #next(): void {
    for (const account of this.#waiting) {
      if (this.#running.size >= this.hands) return;
      if (this.#running.has(account)) continue;
      this.#waiting.delete(account);
      this.#running.set(account, this.#run(account));
    }
  }

  async #run(account: AccountId): Promise<void> {
    try {
      await this.#serve?.(account);
    } finally {
      this.#running.delete(account);
      this.#next();
    }
  }
}
