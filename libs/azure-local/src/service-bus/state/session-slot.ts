import { DueHeap } from './due.js';
import type { Stored } from './stored.js';

/** One session of a queue: its messages, its state, and who holds it. */
export class SessionSlot {
  readonly ready = new DueHeap<Stored>();
  readonly held = new Set<Stored>();
  state: Buffer | null = null;
  lockedUntil = 0;
  holder: object | undefined;
  messageCount = 0;
  updatedAt = 0;

  constructor(readonly id: string) {}

  get isWaiting(): boolean {
    return this.holder === undefined && this.ready.size > 0;
  }

  get isEmpty(): boolean {
    return this.holder === undefined && this.messageCount === 0 && this.state === null;
  }
}
