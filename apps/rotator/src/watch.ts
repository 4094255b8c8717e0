// When an account at rest is looked at next. Kept in memory: a look that comes too early or twice costs a read of the
// vault and a probe, and a journal entry per look would cost more than that.
import type { AccountId, RotationPolicy } from '@twinkey/contracts';

const EVERY_SECONDS = 60;

export class Watch {
  readonly #next = new Map<AccountId, number>();

  /**
   * Milliseconds until the look is due, 0 or less: it is due. An account that is at rest for the first time has just
   * been looked at, or was before a restart not long ago.
   */
  dueIn(account: AccountId, { lookEverySeconds = EVERY_SECONDS }: RotationPolicy, now: number): number {
    const everyMs = lookEverySeconds * 1_000;
    const next = Math.min(this.#next.get(account) ?? Infinity, now + everyMs);
    this.#next.set(account, next);
    return next - now;
  }

  /** Everything outside was seen to be as it should. */
  looked(account: AccountId): void {
    this.#next.delete(account);
  }

  /** Somebody says that something was changed: the next turn looks, whenever the last look was. */
  hurry(account: AccountId): void {
    this.#next.set(account, 0);
  }
}
