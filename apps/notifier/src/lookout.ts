import type { AccountId } from '@twinkey/contracts';
import type { Log } from '@twinkey/service';

/**
 * Whoever took longer than this rests as long before it looks at the same account again. A look at an account with
 * a thousand instances takes 12 ms; without a rest, while all of them acknowledge, looks take as much of the
 * processor as the acknowledgements.
 */
const restAfterMs = 5;

/**
 * Looks at accounts. Per account:
 *
 *   idle ──soon()──► waiting ──a place is free──► looking ──► idle
 *                       ▲                            │
 *                       └──────── soon() meanwhile ──┘
 *
 * However often soon() is called, at most one look runs and one waits: the one that waits sees everything that was
 * committed before it begins. Nothing is lost with the process, for the nudges stay in the database.
 */
export class Lookout {
  private readonly waiting = new Set<AccountId>();
  private readonly looking = new Map<AccountId, Promise<void>>();
  private closed = false;

  constructor(
    private readonly look: (account: AccountId) => Promise<void>,
    /** How many accounts are looked at at the same time: connections that it may take from the pool. */
    private readonly atOnce: number,
    private readonly log: Log,
  ) {}

  readonly soon = (account: AccountId): void => {
    if (this.closed) return;
    this.waiting.add(account);
    this.fill();
  };

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.looking.size > 0) await Promise.all(this.looking.values());
  }

  /** Lets the looks end that run, and begins no more. */
  async close(): Promise<void> {
    this.closed = true;
    this.waiting.clear();
    await this.idle();
  }

  private fill(): void {
    for (const account of this.waiting) {
      if (this.looking.size >= this.atOnce) return;
      if (this.looking.has(account)) continue;
      this.waiting.delete(account);
      this.looking.set(account, this.lookAt(account));
    }
  }

  private async lookAt(account: AccountId): Promise<void> {
    const begun = performance.now();
    try {
      await this.look(account);
      const took = performance.now() - begun;
      if (took > restAfterMs && this.waiting.has(account))
        await new Promise((rested) => setTimeout(rested, took));
    } catch (error) {
      // The transaction is gone and its nudge is back: the next round looks again.
      this.log.warn({ err: error, account }, 'An account could not be looked at; the next round tries again');
    } finally {
      this.looking.delete(account);
      this.fill();
    }
  }
}
