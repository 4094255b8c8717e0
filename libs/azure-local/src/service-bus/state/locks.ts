import { DueHeap } from './due.js';
import type { Lock, Stored } from './stored.js';

/**
 * Peek locks of one queue, found by their token and by their end. The ends are a heap and not the order in which
 * the locks were granted: a shorter LockDuration or a clock that steps back puts a later lock first.
 */
export class Locks {
  private readonly byKey = new Map<string, Stored>();
  private readonly ends = new DueHeap<Stored>();

  get size(): number {
    return this.byKey.size;
  }

  get(key: string): Stored | undefined {
    return this.byKey.get(key);
  }

  set(stored: Stored, lock: Lock): void {
    this.delete(lock);
    this.byKey.set(lock.key, stored);
    lock.end = this.ends.add(lock.until, stored);
  }

  delete(lock: Lock): void {
    if (lock.end !== undefined) this.ends.remove(lock.end);
    lock.end = undefined;
    this.byKey.delete(lock.key);
  }

  /** When the first one ends; Infinity if there is none. */
  get first(): number {
    return this.ends.first;
  }

  /** The first message whose lock has ended at `now`. */
  takeEnded(now: number): Stored | undefined {
    return this.ends.take(now);
  }

  /** In the order in which they were granted or last renewed. */
  values(): IterableIterator<Stored> {
    return this.byKey.values();
  }
}
