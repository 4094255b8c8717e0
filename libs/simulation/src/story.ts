// What happened, line by line: hashed as a whole, so that two runs of a seed can be compared; the end of it is kept to be told.
import { createHash } from 'node:crypto';
import type { Timeline } from './timeline.js';

const KEPT = 400;

export class Story {
  readonly #hash = createHash('sha256');
  readonly #last: string[] = [];
  lines = 0;

  constructor(private readonly timeline: Timeline) {}

  tell(who: string, what: string): void {
    const line = `${moment(this.timeline.elapsed)} ${who.padEnd(12)} ${what}`;
    this.#hash.update(line).update('\n');
    this.lines += 1;
    this.#last.push(line);
    if (this.#last.length > KEPT * 2) this.#last.splice(0, KEPT);
  }

  /** Of all that was told until now. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16);
  }

  last(lines: number): readonly string[] {
    return this.#last.slice(-lines);
  }
}

function moment(ms: number): string {
  const seconds = ms / 1_000;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${hours}:${pad(minutes)}:${(seconds % 60).toFixed(3).padStart(6, '0')}`;
}
