import { setTimeout as sleep } from 'node:timers/promises';

/** How long a write holds its name in real time: long enough that two sent at once meet, too short to notice. */
const holdMs = 2;

/**
 * The names that are being written. Key Vault refuses a second write to a name while one is under way, and only a
 * write that takes time can be met by another; the time is injected, so that a test decides who meets whom.
 */
export class WritesInFlight {
  readonly #names = new Set<string>();

  constructor(private readonly linger: () => Promise<unknown> = () => sleep(holdMs)) {}

  /** Performs the write and holds the name for a moment; `undefined` when another write holds it. */
  async perform<T>(name: string, write: () => T): Promise<T | undefined> {
    const held = name.toLowerCase();
    if (this.#names.has(held)) return undefined;
    this.#names.add(held);
    try {
      const outcome = write();
      await this.linger();
      return outcome;
    } finally {
      this.#names.delete(held);
    }
  }
}
