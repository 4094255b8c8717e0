/**
 * The sequence numbers of a store in ascending order, so that peeking finds its place without walking over all that
 * lies before. Numbers of messages that are gone are swept out when they are the majority.
 */
export class MessageOrder {
  private numbers: number[] = [];
  private isSorted = true;
  private goneCount = 0;

  add(sequence: number): void {
    if (sequence < (this.numbers.at(-1) ?? 0)) this.isSorted = false;
    this.numbers.push(sequence);
  }

  removed(isThere: (sequence: number) => boolean): void {
    if (++this.goneCount <= 64 || this.goneCount <= this.numbers.length / 2) return;
    this.numbers = this.numbers.filter(isThere);
    this.goneCount = 0;
  }

  get length(): number {
    return this.numbers.length;
  }

  /** From `sequence` on; also numbers of messages that are gone. */
  *from(sequence: number): Generator<number> {
    if (!this.isSorted) {
      this.numbers.sort((a, b) => a - b);
      this.isSorted = true;
    }
    let last = -1;
    for (let at = this.firstAt(sequence); at < this.numbers.length; at++) {
      const number = this.numbers[at] ?? 0;
      if (number !== last) yield number;
      last = number;
    }
  }

  private firstAt(sequence: number): number {
    let low = 0;
    let high = this.numbers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.numbers[middle] ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
