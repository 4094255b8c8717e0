// Lets the application put a key where something else uses it, before the key is acknowledged.
//
//   placing ──settles──► in place: acknowledged
//     │  ▲ refuse(reason), or it throws: refused for a while, then again
//     │  └──┘
//     └──a newer key, or the end──► moot: never acknowledged
import type { AccountId, Generation } from '@twinkey/contracts';
import { type Refusal, reasonGiven, reasonOfFailure } from './consent.js';
import type { HeldKey } from './key-holder.js';
import type { Timing } from './timing.js';

/** A key that this process has, and that is to be put in place. */
export interface Placement {
  readonly account: AccountId;
  readonly name: string;
  readonly generation: Generation;
  /** The generation that this process had before; 0 for its first key, whatever another process put in place earlier. */
  readonly previous: Generation;
  /** What people may know the key by, if its publication says so. */
  readonly fingerprint: string | undefined;
  /** The key: a function, so that whoever prints a placement prints no key. */
  readonly key: () => string;
  /** Aborts when a newer key takes its place, or the instance leaves. */
  readonly signal: AbortSignal;
  /** Tells people why it is not in place; it is tried again. Never put a secret into the reason. */
  readonly refuse: (reason: string) => void;
}

/**
 * Called after each switch, for the first key too. The key is acknowledged when the promise settles: nobody may use an older
 * one from then on.
 */
export type AfterSwitch = (placement: Placement) => Promise<void>;

export interface PlacingParts {
  readonly account: AccountId;
  readonly name: string;
  readonly hook: AfterSwitch;
  readonly againMs: number;
  readonly timing: Timing;
  readonly closing: AbortSignal;
  /** Called when the key is taken: from then on it is used where nobody sees it. */
  readonly handOut: () => void;
  readonly refused: (refusal: Refusal) => void;
  readonly failed: (error: Error) => void;
}

/** One account's placing: one call of the hook at a time, for the newest key. */
export class Placing {
  readonly #parts: PlacingParts;
  #over = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  #refusal: Refusal | undefined;

  constructor(parts: PlacingParts) {
    this.#parts = parts;
    parts.closing.addEventListener('abort', () => {
      this.#over.abort();
    });
  }

  /** Why the newest key is not in place, until it is. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** True when the key is in place, false when that is of no interest any more. */
  async place(held: HeldKey, previous: Generation): Promise<boolean> {
    const { timing, againMs, closing } = this.#parts;
    this.#over.abort();
    if (closing.aborted) return false;
    const over = new AbortController();
    this.#over = over;
    this.#refusal = undefined;
    const isOver = (): boolean => over.signal.aborted;
    while (!isOver()) {
      const before = this.#running;
      const trying = before.then(() => this.#once(held, previous, over.signal));
      this.#running = trying;
      const reason = await trying;
      if (isOver()) return false;
      if (reason === undefined) {
        this.#refusal = undefined;
        return true;
      }
      this.#refusal = { generation: held.generation, reason, askAgainAt: timing.now() + againMs };
      this.#parts.refused(this.#refusal);
      await timing.wait(againMs, over.signal);
    }
    return false;
  }

  /** Undefined: it is in place. Never rejects. */
  async #once(held: HeldKey, previous: Generation, signal: AbortSignal): Promise<string | undefined> {
    const { account, name, hook, handOut, failed } = this.#parts;
    const isOver = (): boolean => signal.aborted;
    if (isOver()) return 'overtaken';
    const { generation, fingerprint } = held;
    const key = (): string => {
      handOut();
      return held.key;
    };
    let reason: string | undefined;
    const refuse = (given: string): void => {
      reason ??= reasonGiven(given);
    };
    try {
      await hook({ account, name, generation, previous, fingerprint, key, signal, refuse });
    } catch (error) {
      if (isOver()) return 'overtaken';
      failed(error instanceof Error ? error : new Error(String(error)));
      return reason ?? reasonOfFailure('afterSwitch', error);
    }
    return reason;
  }
}
