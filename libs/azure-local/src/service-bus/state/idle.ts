import { NEVER_MS } from '../duration.js';
import { DueHeap, type DueEntry } from './due.js';
import type { Queue } from './queue.js';

/**
 * Finds the entities that nobody used for as long as they allow. Each is looked at once per idle period, not
 * whenever it is used.
 */
export class IdleWatch {
  /** Before this nothing is idle: after a restart clients need a moment to come back. */
  notBefore = -Infinity;
  private readonly due = new DueHeap<Queue>();
  private readonly entries = new Map<Queue, DueEntry<Queue>>();

  get size(): number {
    return this.entries.size;
  }

  get nextDue(): number {
    return this.due.first;
  }

  watch(queue: Queue): void {
    this.forget(queue);
    if (queue.settings.autoDeleteOnIdleMs < NEVER_MS)
      this.entries.set(queue, this.due.add(this.endOfIdleness(queue), queue));
  }

  forget(queue: Queue): void {
    const entry = this.entries.get(queue);
    if (entry !== undefined) this.due.remove(entry);
    this.entries.delete(queue);
  }

  /** Those whose time has come. */
  take(now: number): Queue[] {
    const idle: Queue[] = [];
    for (let queue = this.due.take(now); queue !== undefined; queue = this.due.take(now)) {
      // A receiver that is attached uses its entity all the time.
      if (queue.receivers > 0) queue.touch(now);
      this.entries.delete(queue);
      const end = this.endOfIdleness(queue);
      if (end <= now) idle.push(queue);
      else this.entries.set(queue, this.due.add(end, queue));
    }
    return idle;
  }

  private endOfIdleness(queue: Queue): number {
    return Math.max(queue.touchedAt + queue.settings.autoDeleteOnIdleMs, this.notBefore);
  }
}
