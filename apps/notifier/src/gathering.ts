import { isTransientFault } from '@twinkey/contracts';

/** How much is worked on at the same time, and how much of it together. */
export interface GatheringLimits {
  /** Of different keys: each takes a connection from the pool. */
  readonly atOnce: number;
  /** Items of one turn. */
  readonly most: number;
}

interface Waiting<Item> {
  readonly item: Item;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Works off together what arrives together. Per key:
 *
 *   idle ──add()──► waiting ──a place is free──► working ──► idle
 *                      ▲                            │
 *                      └────────── add() meanwhile ─┘
 *
 * One item alone waits for nobody; what arrives during a turn is the next turn. Whoever added an item learns what came of
 * that item: when a turn fails for something else than an outage, each of its items has a turn of its own.
 */
export class Gathering<Key, Item> {
  readonly #waiting = new Map<Key, Waiting<Item>[]>();
  readonly #working = new Set<Key>();

  constructor(
    /** `more`: others wait already for the next turn of the same key. */
    private readonly work: (key: Key, items: readonly Item[], turn: { more: boolean }) => Promise<void>,
    private readonly limits: GatheringLimits,
  ) {}

  /** Resolves when the item is worked off, and rejects with the reason why it is not. */
  add(key: Key, item: Item): Promise<void> {
    return new Promise((done, failed) => {
      const waiting = this.#waiting.get(key) ?? [];
      waiting.push({ item, done, failed });
      this.#waiting.set(key, waiting);
      this.#fill();
    });
  }

  #fill(): void {
    for (const [key, waiting] of this.#waiting) {
      if (this.#working.size >= this.limits.atOnce) return;
      if (this.#working.has(key)) continue;
      const turn = waiting.splice(0, this.limits.most);
      // To the end of the line, so that one busy key keeps no other one waiting.
      this.#waiting.delete(key);
      if (waiting.length > 0) this.#waiting.set(key, waiting);
      this.#working.add(key);
      void this.#turn(key, turn).finally(() => {
        this.#working.delete(key);
        this.#fill();
      });
    }
  }

  /** Never rejects. */
  async #turn(key: Key, turn: readonly Waiting<Item>[]): Promise<void> {
    try {
      await this.work(
        key,
        turn.map(({ item }) => item),
        { more: this.#waiting.has(key) },
      );
    } catch (error) {
      if (turn.length > 1 && !isTransientFault(error)) {
        for (const one of turn) await this.#turn(key, [one]);
        return;
      }
      for (const { failed } of turn) failed(error);
      return;
    }
    for (const { done } of turn) done();
  }
}
