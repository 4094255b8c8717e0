// Asks the application before a newer key takes the place of the one in use.
//
//   idle ──offered──► asking ──ends, or its time is over──► agreed
//                       │ refuse(reason), or it throws
//                       └──────────► refused ──a while, or a newer generation──► may be asked again
import { type AccountId, type Generation, TransientFault } from '@twinkey/contracts';
import type { Timing } from './timing.js';

/** A newer key, before it is used. */
export interface Offer {
  readonly account: AccountId;
  readonly name: string;
  /** The generation that is offered, and the one in use. */
  readonly generation: Generation;
  readonly previous: Generation;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Keeps the key in use for now. The reason is told to people; never put a secret into it. */
  readonly refuse: (reason: string) => void;
}

/** The key is switched when the promise settles, or when its time is over. */
export type BeforeSwitch = (offer: Offer) => void | Promise<void>;

export interface Refusal {
  readonly generation: Generation;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly askAgainAt: number;
}

export interface ConsentParts {
  readonly account: AccountId;
  readonly name: string;
  readonly hook: BeforeSwitch;
  readonly withinMs: number;
  readonly askAgainMs: number;
  readonly timing: Timing;
  readonly closing: AbortSignal;
  readonly refused: (refusal: Refusal, previous: Generation) => void;
  readonly failed: (error: Error) => void;
}

const MAX_REASON = 200;
/** Each time that the application is asked again costs a reading of the vault. */
const ASK_AGAIN_AT_LEAST_MS = 250;

/** A reason as people are told it. */
export function reasonGiven(reason: string): string {
  return reason.trim().slice(0, MAX_REASON) || 'no reason given';
}

/** Only the error's name leaves the process: nobody knows what is in its message. */
export function reasonOfFailure(hook: string, error: unknown): string {
  return `${hook} failed: ${error instanceof Error ? error.name : 'not an error'}`;
}

type Answer = 'agreed' | 'late' | 'moot' | { readonly reason: string };

interface Asking {
  readonly generation: Generation;
  readonly end: (answer: Answer) => void;
  readonly done: Promise<void>;
}

/** One account's asking: at most one offer at a time, the newest. */
export class Consent {
  readonly #parts: ConsentParts;
  #asking: Asking | undefined;
  #refusal: Refusal | undefined;
  #waiting = new AbortController();

  constructor(parts: ConsentParts) {
    this.#parts = parts;
    parts.closing.addEventListener('abort', () => {
      this.moot();
    });
  }

  /** What was refused last, until it is used after all. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** The application decides, or has decided to wait: the older key stays in use on purpose. */
  get isHolding(): boolean {
    const { timing } = this.#parts;
    return this.#asking !== undefined || (this.#refusal?.askAgainAt ?? -Infinity) > timing.now();
  }

  /** Offers a generation unless it is being asked for, or was refused a short while ago. */
  ask(generation: Generation, previous: Generation, agreed: () => void): void {
    const decided = this.#asking ?? this.#refusal;
    if (decided !== undefined && this.isHolding && generation <= decided.generation) return;
    this.#asking?.end('moot');
    const over = new AbortController();
    let end: (answer: Answer) => void = () => undefined;
    const answered = new Promise<Answer>((resolve) => (end = resolve));
    const asking: Asking = {
      generation,
      end,
      done: answered.then((answer) => {
        over.abort();
        if (this.#asking === asking) this.#asking = undefined;
        this.#conclude(answer, generation, previous, agreed);
      }),
    };
    this.#asking = asking;
    void this.#put(generation, previous, over.signal, end);
  }

  /** Somebody named a generation: whatever was asked or refused about an older one is over. */
  heard(generation: Generation): void {
    if (this.#asking !== undefined && this.#asking.generation < generation) this.#asking.end('moot');
    if (this.#refusal !== undefined && this.#refusal.generation < generation) this.#mayAskAgain();
  }

  /** The older key is dead, or nobody waits for this instance: the newer one is used whatever the application says. */
  overrule(): void {
    this.#asking?.end('agreed');
    this.#mayAskAgain();
  }

  /** A newer key is in use, or the instance leaves: there is nothing to decide. */
  moot(): void {
    this.#asking?.end('moot');
    this.#mayAskAgain();
    this.#refusal = undefined;
  }

  /** Resolves when nothing is held any more: asked, and not refused or refused long enough ago. */
  async over(): Promise<void> {
    const { timing } = this.#parts;
    await this.#asking?.done;
    const left = (this.#refusal?.askAgainAt ?? -Infinity) - timing.now();
    if (left > 0) await timing.wait(left, this.#waiting.signal);
  }

  #mayAskAgain(): void {
    if (this.#refusal !== undefined) this.#refusal = { ...this.#refusal, askAgainAt: -Infinity };
    this.#waiting.abort();
    this.#waiting = new AbortController();
  }

  async #put(
    generation: Generation,
    previous: Generation,
    signal: AbortSignal,
    end: (answer: Answer) => void,
  ): Promise<void> {
    const { account, name, hook, withinMs, timing, failed } = this.#parts;
    const refuse = (reason: string): void => {
      end({ reason: reasonGiven(reason) });
    };
    void timing.wait(withinMs, signal).then(() => {
      end('late');
    });
    try {
      await hook({ account, name, generation, previous, signal, refuse });
      end('agreed');
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
      refuse(reasonOfFailure('beforeSwitch', error));
    }
  }

  #conclude(answer: Answer, generation: Generation, previous: Generation, agreed: () => void): void {
    const { name, withinMs, askAgainMs, timing, closing, failed, refused } = this.#parts;
    if (answer === 'moot' || closing.aborted) return;
    if (typeof answer === 'object') {
      const askAgainAt = timing.now() + Math.max(askAgainMs, ASK_AGAIN_AT_LEAST_MS);
      this.#refusal = { generation, reason: answer.reason, askAgainAt };
      refused(this.#refusal, previous);
      return;
    }
    if (answer === 'late') {
      failed(
        new TransientFault(
          'hook-late',
          `${name}: beforeSwitch did not end within ${withinMs / 1000} s; generation ${generation} is used without it`,
        ),
      );
    }
    agreed();
  }
}
