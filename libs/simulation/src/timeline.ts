// Virtual time: one thing happens at a time, in an order that follows from the seed alone. Between two events all that
// the last one set going runs until it waits for something that has its own event.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Actor } from './actor.js';

interface Event {
  at: number;
  order: number;
  cancelled: boolean;
  readonly actor: Actor | null;
  readonly run: () => void | Promise<void>;
}

export interface Appointment {
  cancel(): void;
}

/** Whose code runs right now. Several worlds may live in this process at a time; none can see another. */
interface Now {
  readonly timeline: Timeline;
  readonly actor: Actor | null;
}

const running = new AsyncLocalStorage<Now>();

/** The timeline whose code runs right now; undefined: none does. */
export function currentTimeline(): Timeline | undefined {
  return running.getStore()?.timeline;
}

const settled = setImmediate;

/** 2026-01-05, a Monday. */
const BEGINNING = Date.UTC(2026, 0, 5);

export class Timeline {
  /** True time in milliseconds since 1970; the clocks of actors may be off it. */
  now = BEGINNING;
  events = 0;
  /** What `Math.random` and `fetch` are for the code of this world. */
  random: () => number = Math.random;
  fetch: typeof globalThis.fetch = () => Promise.reject(new Error('nobody answers'));
  readonly #heap: Event[] = [];
  readonly #soon: Event[] = [];
  #order = 0;

  /** Milliseconds since the world began. */
  get elapsed(): number {
    return this.now - BEGINNING;
  }

  /** Who runs right now; null: the world itself. */
  get actor(): Actor | null {
    return running.getStore()?.actor ?? null;
  }

  as<Result>(actor: Actor | null, work: () => Result): Result {
    return running.run({ timeline: this, actor }, work);
  }

  /** An event of `actor` does not happen any more when it is dead, and waits while it is frozen. */
  after(ms: number, run: Event['run'], actor = this.actor): Appointment {
    const at = this.now + Math.max(0, Number.isFinite(ms) ? ms : 0);
    const event: Event = { at, order: (this.#order += 1), cancelled: false, actor, run };
    this.#push(event);
    return { cancel: () => void (event.cancelled = true) };
  }

  /** Before time goes on, but after all that runs already. */
  soon(run: Event['run'], actor = this.actor): void {
    this.#soon.push({ at: this.now, order: 0, cancelled: false, actor, run });
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Until `over` says so, looked at before each event, or nothing is left to happen. */
  async run(over: () => boolean): Promise<void> {
    for (;;) {
      await new Promise<void>((resolve) => {
        settled(resolve);
      });
      const event = this.#soon.shift() ?? this.#next(over);
      if (event === undefined) return;
      const { actor } = event;
      if (actor !== null) {
        if (!actor.alive) continue;
        if (actor.frozenUntil > this.now) {
          event.at = actor.frozenUntil;
          event.order = this.#order += 1;
          this.#push(event);
          continue;
        }
      }
      this.events += 1;
      await this.as(actor, event.run);
    }
  }

  #next(over: () => boolean): Event | undefined {
    if (over()) return undefined;
    for (;;) {
      const event = this.#pop();
      if (event === undefined) return undefined;
      if (event.cancelled) continue;
      this.now = Math.max(this.now, event.at);
      return event;
    }
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(event, heap[parent])) break;
      heap[i] = heap[parent] as Event;
      i = parent;
    }
    heap[i] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || first === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
      if (!isBefore(heap[child], last)) break;
      heap[i] = heap[child] as Event;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function isBefore(one: Event | undefined, other: Event | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
