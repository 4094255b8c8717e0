import type { Generation } from '@twinkey/contracts';

/** When the tokens die that were bought with each key: a key is in use until the last one of them is dead. */
export class TokenDeaths {
  readonly #diesAt = new Map<Generation, number>();

  /** A token that was bought with the key of `generation` works until `diesAt`, in milliseconds since 1970. */
  note(generation: Generation, diesAt: number): void {
    this.#diesAt.set(generation, Math.max(diesAt, this.#diesAt.get(generation) ?? 0));
  }

  /** When the last one dies that an older key than `current` bought; -Infinity: there is none. */
  lastBelow(current: Generation): number {
    const older = [...this.#diesAt].filter(([generation]) => generation < current);
    return Math.max(-Infinity, ...older.map(([, diesAt]) => diesAt));
  }
}
