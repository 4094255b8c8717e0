/**
 * Lets completions of one receiver go out together, and everything else alone.
 *
 * The AMQP library under the SDK (rhea 3.0.5) joins neighbouring deliveries that are settled in the same turn into
 * one frame, and forgets to compare their outcomes: of a completion and an abandonment both are completed, and the
 * abandoned message is lost; of two dead letters the second gets the first one's reason.
 *
 *   completions under way ──other──► draining ──last ended──► the other alone ──ended──► whoever waits
 */
export class SettlingOrder {
  #completions = 0;
  #alone = false;
  readonly #waiting: { readonly kind: 'completion' | 'other'; readonly go: () => void }[] = [];

  /** Runs `settle` when its turn has come; a rejection is passed on and gives the turn back. */
  async run<T>(kind: 'completion' | 'other', settle: () => Promise<T>): Promise<T> {
    await this.#turn(kind);
    try {
      return await settle();
    } finally {
      if (kind === 'completion') this.#completions -= 1;
      else this.#alone = false;
      this.#next();
    }
  }

  #turn(kind: 'completion' | 'other'): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ kind, go: resolve });
      this.#next();
    });
  }

  #next(): void {
    while (!this.#alone) {
      const first = this.#waiting[0];
      if (first === undefined) return;
      if (first.kind === 'other' && this.#completions > 0) return;
      this.#waiting.shift();
      if (first.kind === 'completion') this.#completions += 1;
      else this.#alone = true;
      first.go();
    }
  }
}
