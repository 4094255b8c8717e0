import { DueHeap, type DueEntry } from './due.js';
import type { Stored } from './stored.js';

/** One session of a queue: its messages, its state, and who holds it. */
export class SessionSlot {
  readonly ready = new DueHeap<Stored>();
  readonly held = new Set<Stored>();
  state: Buffer | null = null;
  lockedUntil = 0;
  holder: object | undefined;
  end: DueEntry<SessionSlot> | undefined;
  messageCount = 0;
  /** When a message came, its state was set or it was accepted last. */
  updatedAt = 0;

  constructor(readonly id: string) {}

  get isWaiting(): boolean {
    return this.holder === undefined && this.ready.size > 0;
  }

  get isEmpty(): boolean {
    return this.holder === undefined && this.messageCount === 0 && this.state === null;
  }

  /** Has messages that can be received, or are being received. */
  get isActive(): boolean {
    if (this.ready.size > 0) return true;
    for (const stored of this.held) if (stored.state === 'active') return true;
    return false;
  }
}
