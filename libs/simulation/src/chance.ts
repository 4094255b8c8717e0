// Everything that a seed decides. Streams are split by name, so that one more draw here does not change what is drawn there.

/** A stream of numbers that follows from its seed (sfc32). */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(
    readonly seed: number,
    readonly name = '',
  ) {
    let hash = 0x811c9dc5 ^ seed;
    for (const letter of `${seed}/${name}`) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193) >>> 0;
    this.#a = hash;
    this.#b = seed | 0;
    this.#c = Math.imul(hash, 0x9e3779b1) | 0;
    for (let i = 0; i < 12; i += 1) this.next();
  }

  /** Evenly spread over [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  happens(probability: number): boolean {
    return probability > 0 && this.next() < probability;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Evenly over the orders of magnitude: 1 to 10 is as likely as 10 to 100. */
  magnitude(low: number, high: number): number {
    return low * (high / low) ** this.next();
  }

  /** Whole, both ends included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  digits(count: number): string {
    let text = '';
    while (text.length < count) text += Math.floor(this.next() * 16).toString(16);
    return text;
  }

  uuid(): string {
    const d = this.digits(32);
    return `${d.slice(0, 8)}-${d.slice(8, 12)}-4${d.slice(13, 16)}-8${d.slice(17, 20)}-${d.slice(20)}`;
  }

  split(name: string): Chance {
    return new Chance(this.seed, `${this.name}/${name}`);
  }
}
