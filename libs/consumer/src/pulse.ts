import { jittered, type Timing } from './timing.js';

/** Does something again and again, with a jittered pause in between that can be cut short. Ends with `closing`. */
export class Pulse {
  readonly #timing: Timing;
  readonly #closing: AbortSignal;
  #pause = new AbortController();
  #isHurried = false;

  constructor(timing: Timing, closing: AbortSignal) {
    this.#timing = timing;
    this.#closing = closing;
    closing.addEventListener('abort', () => {
      this.#pause.abort();
    });
  }

  /** The next beat is due now. One under way does not count: what it says was written before. */
  hurry(): void {
    this.#isHurried = true;
    this.#pause.abort();
  }

  /** `everyMs` is asked before each pause; `beat` must not fail. */
  async run(everyMs: () => number, beat: () => Promise<void>): Promise<void> {
    while (!this.#closing.aborted) {
      this.#pause = new AbortController();
      if (!this.#isHurried) await this.#timing.wait(jittered(everyMs(), this.#timing), this.#pause.signal);
      this.#isHurried = false;
      if (!isAborted(this.#closing)) await beat();
    }
  }
}

/** A call, because the compiler does not expect a property to change during an `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
