/**
 * A heap of things that become due. Removal only marks; the marked ones are swept out when they are the majority,
 * so that a queue with long lifetimes and quick consumers does not grow.
 */
export interface DueEntry<T> {
  readonly at: number;
  readonly of: T;
  gone: boolean;
}

export class DueHeap<T> {
  private heap: DueEntry<T>[] = [];
  private goneCount = 0;

  get size(): number {
    return this.heap.length - this.goneCount;
  }

  add(at: number, of: T): DueEntry<T> {
    const entry = { at, of, gone: false };
    this.heap.push(entry);
    this.up(this.heap.length - 1);
    return entry;
  }

  remove(entry: DueEntry<T>): void {
    if (entry.gone) return;
    entry.gone = true;
    this.goneCount++;
    if (this.goneCount > 64 && this.goneCount > this.heap.length / 2) this.sweep();
  }

  private sweep(): void {
    const live = this.heap.filter((entry) => !entry.gone);
    this.goneCount = 0;
    // A sorted array is a heap.
    this.heap = live.sort((a, b) => a.at - b.at);
  }

  /** When the first one is due; Infinity if there is none. */
  get first(): number {
    this.dropGone();
    return this.heap[0]?.at ?? Infinity;
  }

  /** Takes the first entry that is due at `now`. */
  take(now: number): T | undefined {
    this.dropGone();
    const [first] = this.heap;
    if (first === undefined || first.at > now) return undefined;
    first.gone = true;
    this.pop();
    return first.of;
  }

  private dropGone(): void {
    while (this.heap[0]?.gone === true) {
      this.pop();
      this.goneCount--;
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return;
    this.heap[0] = last;
    this.down();
  }

  private up(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.swapIfLater(parent, at)) return;
      at = parent;
    }
  }

  private down(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const smaller = this.key(right) < this.key(left) ? right : left;
      if (!this.swapIfLater(at, smaller)) return;
      at = smaller;
    }
  }

  private key(at: number): number {
    return this.heap[at]?.at ?? Infinity;
  }

  private swapIfLater(upper: number, lower: number): boolean {
    const above = this.heap[upper];
    const below = this.heap[lower];
    if (above === undefined || below === undefined || above.at <= below.at) return false;
    this.heap[upper] = below;
    this.heap[lower] = above;
    return true;
  }
}
