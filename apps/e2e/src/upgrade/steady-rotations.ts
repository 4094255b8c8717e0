// Rotations without end: as soon as one is over, the next one is asked for, so that whatever is replaced is replaced in the
// midst of some.
import { waitUntil, type RotationLine } from '@twinkey/dev';
import type { Fleet } from '../fleet.js';

/** Fewer than there are accounts, so that one of them can always be asked for. */
const AT_ONCE = 3;
const PATIENCE_MS = 180_000;

export class SteadyRotations {
  readonly #completed = new Set<string>();
  #open = 0;
  #next = 0;
  #isWanted = false;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly fleet: Fleet,
    private readonly accounts: readonly string[],
  ) {}

  /** How many have completed since it began. */
  get completed(): number {
    return this.#completed.size;
  }

  begin(): void {
    this.#isWanted = true;
    const asking = waitUntil('the end of rotations', () => this.#ask(), {
      withinMs: Infinity,
      everyMs: 200,
    });
    asking.catch(() => undefined); // whoever waits for more, or for the end, hears of it
    this.#asking = asking;
  }

  /** Resolves when some are open, with how many. */
  async underWay(): Promise<number> {
    const some = waitUntil('rotations are under way', () => this.#open > 0, { withinMs: PATIENCE_MS });
    await Promise.race([some, this.#asking]);
    await some;
    return this.#open;
  }

  /** Asks for no more. */
  stop(): void {
    this.#isWanted = false;
  }

  /** Resolves when so many more have completed. */
  async more(count: number): Promise<void> {
    const target = this.completed + count;
    const enough = waitUntil(`${count} more rotations complete`, () => this.completed >= target, {
      withinMs: PATIENCE_MS,
    });
    await Promise.race([enough, this.#asking]);
    await enough;
  }

  /** Asks for no more; resolves when none is open. */
  async end(): Promise<void> {
    this.stop();
    await this.#asking;
  }

  /** True when nothing is open and nothing more is wanted. The console may be one that ends: then it is asked again. */
  async #ask(): Promise<boolean> {
    const { client } = this.fleet;
    let rotations: readonly RotationLine[];
    try {
      rotations = await client.rotations();
    } catch {
      return false;
    }
    for (const { id, account, state, halt } of rotations) {
      if (state === 'completed') this.#completed.add(id);
      if (halt !== null) throw new Error(`${id} of ${account} halted: ${halt.reason}, ${halt.detail}`);
    }
    this.#open = rotations.filter(({ state }) => state !== 'completed').length;
    if (!this.#isWanted) return this.#open === 0;
    for (let more = this.#open; more < AT_ONCE; more += 1) {
      this.#next += 1;
      const account = this.accounts[this.#next % this.accounts.length] ?? '';
      const asked = await client.rotate(account, 'one after the other').catch(() => null);
      if (asked !== null) this.#open += 1;
    }
    return false;
  }
}
