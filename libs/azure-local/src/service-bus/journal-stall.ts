import type { Journal } from './journal/journal.js';
import type { Change } from './state/stored.js';

/** A journal whose disk can be made slow: while it is stalled, nothing becomes durable for whoever waits. */
export class StallableJournal implements Journal {
  private held: (() => void)[] = [];
  private stalls = 0;

  constructor(private readonly inner: Journal) {}

  note(change: Change): void {
    this.inner.note(change);
  }

  write(): void {
    this.inner.write();
  }

  whenDurable(then: () => void): void {
    if (this.stalls === 0) this.inner.whenDurable(then);
    else this.held.push(then);
  }

  /** In real time: it is the disk that is slow, not the clock of a test. */
  stall(ms: number): void {
    this.stalls++;
    setTimeout(() => {
      if (--this.stalls > 0) return;
      for (const then of this.held.splice(0)) this.inner.whenDurable(then);
    }, ms).unref();
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}
