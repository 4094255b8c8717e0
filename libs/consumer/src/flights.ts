import type { Generation } from '@twinkey/contracts';

/** Above every generation: no call at all. */
export const EVERY = Infinity;

/** Counts the calls under way, by the generation of the key that they were given. */
export class Flights {
  readonly #byGeneration = new Map<Generation, number>();
  #waiting: { readonly below: number; readonly resolve: () => void }[] = [];

  /** One call starts; the returned function says that it ended, and may be called once. */
  begin(generation: Generation): () => void {
    this.#byGeneration.set(generation, (this.#byGeneration.get(generation) ?? 0) + 1);
    return () => {
      const left = (this.#byGeneration.get(generation) ?? 0) - 1;
      if (left > 0) this.#byGeneration.set(generation, left);
      else this.#byGeneration.delete(generation);
      this.#wake();
    };
  }

  /** Resolves when no call with a generation below `below` is under way. */
  landed(below: number): Promise<void> {
    if (this.#isClear(below)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ below, resolve });
    });
  }

  #isClear(below: number): boolean {
    return ![...this.#byGeneration.keys()].some((generation) => generation < below);
  }

  #wake(): void {
    const clear = this.#waiting.filter(({ below }) => this.#isClear(below));
    if (clear.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => !clear.includes(each));
    for (const { resolve } of clear) resolve();
  }
}
