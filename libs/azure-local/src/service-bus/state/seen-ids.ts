import { DueHeap } from './due.js';

export interface SeenId {
  readonly until: number;
  /** The number the first message with this id got. */
  readonly sequence: number;
}

/** Ids are forgotten in groups: waking once per message would cost more than the memory is worth. */
const GROUP_MS = 1000;

/** The message ids that a duplicate detection remembers, each until the end of its window. */
export class SeenIds {
  private readonly ids = new Map<string, SeenId>();
  private readonly ends = new DueHeap<string>();

  get all(): ReadonlyMap<string, SeenId> {
    return this.ids;
  }

  find(id: string, now: number): SeenId | undefined {
    this.forget(now);
    return this.ids.get(id);
  }

  remember(id: string, seen: SeenId): void {
    this.ids.set(id, seen);
    this.ends.add(seen.until, id);
  }

  forget(now: number): void {
    for (let id = this.ends.take(now); id !== undefined; id = this.ends.take(now)) {
      const seen = this.ids.get(id);
      // An id that came again after its window has a later end.
      if (seen !== undefined && seen.until <= now) this.ids.delete(id);
    }
  }

  get nextDue(): number {
    const { first } = this.ends;
    return first === Infinity ? Infinity : (Math.floor(first / GROUP_MS) + 1) * GROUP_MS;
  }
}
