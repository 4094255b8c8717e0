// One process of the world: alive or dead, running or frozen, with a clock of its own.
import type { Timeline } from './timeline.js';

export class Actor {
  alive = true;
  /** Until then it does nothing, and does not know it. */
  frozenUntil = 0;
  readonly #wills: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly role: 'scheduler' | 'rotator' | 'notifier' | 'consumer' | 'people',
    readonly timeline: Timeline,
    /** How far its clock is off true time. */
    readonly skewMs: number,
  ) {}

  readonly now = (): number => Math.round(this.timeline.now + this.skewMs);

  readonly clock = (): Date => new Date(this.now());

  get isFrozen(): boolean {
    return this.frozenUntil > this.timeline.now;
  }

  /** What happens to what it holds, when it dies. */
  atDeath(will: () => void): void {
    this.#wills.push(will);
  }

  /** Nothing of it goes on; what it waited for is never answered. */
  die(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const will of this.#wills.splice(0)) will();
  }

  freeze(ms: number): void {
    this.frozenUntil = Math.max(this.frozenUntil, this.timeline.now + ms);
  }
}
