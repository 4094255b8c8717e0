// Brings the keys of several accounts to one target: all together, one attempt at a time, always the newest.
//
//   incomplete ──the last first key──► placing ──► placed | refused
//                                       ▲  │ a newer key of any account: given up, begun anew
//                                       └──┘
import type { AfterSwitch, Placement } from '@twinkey/consumer';
import { aborted } from './clock.js';
import { type HeldKey, type Keys, Refused, type Target } from './target.js';

type Outcome = 'placed' | 'overtaken' | { readonly refused: string };

interface Attempt {
  /** The generations that it puts in place; undefined while keys are missing. */
  readonly of: string | undefined;
  readonly over: AbortController;
  readonly outcome: Promise<Outcome>;
  isOver: boolean;
}

export class Placer {
  readonly #accounts: readonly string[];
  readonly #target: Target;
  readonly #placed: (keys: Keys) => void;
  readonly #held = new Map<string, HeldKey>();
  #attempt: Attempt;

  /** `placed` hears of each success. */
  constructor(accounts: readonly string[], target: Target, placed: (keys: Keys) => void = () => undefined) {
    this.#accounts = accounts;
    this.#target = target;
    this.#placed = placed;
    this.#attempt = waiting(Promise.resolve());
  }

  /** What a consumer calls with each key. */
  readonly afterSwitch: AfterSwitch = async (placement) => {
    this.#hold(placement);
    this.#begin();
    const { signal } = placement;
    let withdraw: () => void = () => undefined;
    const withdrawn = new Promise<Outcome>((resolve) => {
      withdraw = () => {
        // A newer key is on its way, or the end: nothing is placed until one of them is here.
        this.#replace(waiting);
        resolve('overtaken');
      };
    });
    signal.addEventListener('abort', withdraw);
    try {
      const outcome = await Promise.race([this.#outcome(signal), withdrawn]);
      if (typeof outcome === 'object') placement.refuse(outcome.refused);
    } finally {
      signal.removeEventListener('abort', withdraw);
    }
  };

  #hold({ account, name, generation, fingerprint, key }: Placement): void {
    for (const asked of this.#accounts) {
      const wanted = asked.toLowerCase();
      if (wanted !== account.toLowerCase() && wanted !== name.toLowerCase()) continue;
      this.#held.set(asked, { account: asked, generation, fingerprint, key });
    }
  }

  /** Begins with what is held now, unless just that is under way. */
  #begin(): void {
    const keys = this.#accounts.flatMap((account) => this.#held.get(account) ?? []);
    if (keys.length < this.#accounts.length) return;
    const of = keys.map(({ generation }) => generation).join(' ');
    if (this.#attempt.of === of && !this.#attempt.isOver) return;
    this.#replace((before) => this.#trying(before, keys, of));
  }

  #replace(next: (before: Promise<unknown>) => Attempt): void {
    const { over, outcome } = this.#attempt;
    over.abort();
    this.#attempt = next(outcome.catch(() => undefined));
  }

  #trying(before: Promise<unknown>, keys: Keys, of: string): Attempt {
    const over = new AbortController();
    const outcome = before.then(() => this.#once(keys, over.signal));
    const attempt: Attempt = { of, over, outcome, isOver: false };
    const end = (): void => {
      attempt.isOver = true;
    };
    void outcome.then(end, end);
    return attempt;
  }

  async #once(keys: Keys, signal: AbortSignal): Promise<Outcome> {
    const isOver = (): boolean => signal.aborted;
    if (isOver()) return 'overtaken';
    try {
      await this.#target.place(keys, signal);
    } catch (error) {
      if (isOver()) return 'overtaken';
      if (error instanceof Refused) return { refused: error.reason };
      throw error;
    }
    if (isOver()) return 'overtaken';
    this.#placed(keys);
    return 'placed';
  }

  /** That of the latest attempt, whichever that is by then. */
  async #outcome(signal: AbortSignal): Promise<Outcome> {
    for (;;) {
      const attempt = this.#attempt;
      const outcome = await attempt.outcome;
      if (signal.aborted || attempt === this.#attempt) return outcome;
    }
  }
}

/** An attempt at nothing: keys are missing. Over as soon as another one takes its place, and what went before has ended. */
function waiting(before: Promise<unknown>): Attempt {
  const over = new AbortController();
  const outcome = Promise.all([before, aborted(over.signal)]).then((): Outcome => 'overtaken');
  return { of: undefined, over, outcome, isOver: false };
}
