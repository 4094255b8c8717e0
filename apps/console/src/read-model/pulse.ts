/** Another console may have recorded an event that this process does not hear of. */
const LOOK_AGAIN_AFTER_MS = 1_000;

/** Wakes the streams of this process when something was recorded. */
export class Pulse {
  private readonly waiting = new Set<() => void>();
  private closed = false;

  /** Something was recorded: all who wait look again. */
  beat(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  /** Resolves at the next beat, after a second, or when `signal` aborts. */
  next(signal: AbortSignal): Promise<void> {
    if (this.closed || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, LOOK_AGAIN_AFTER_MS);
      signal.addEventListener('abort', wake, { once: true });
      this.waiting.add(wake);
    });
  }

  /** No stream may outlive this: they end at once, and clients resume elsewhere. */
  close(): void {
    this.closed = true;
    this.beat();
  }

  get isClosed(): boolean {
    return this.closed;
  }
}
