import { Interrupted, isInterrupted } from '@twinkey/contracts';
import type { Background, Log } from '@twinkey/service';

/**
 * Repeats `work` with a pause in between until it is stopped. What it throws is logged and ends nothing: the work
 * starts from the tables each time. The same trouble in a row is logged once.
 */
export class Loop implements Background {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stop: AbortController | undefined;
  #trouble = '';

  constructor(
    readonly name: string,
    private readonly pauseMs: number,
    private readonly log: Log,
    private readonly work: (signal: AbortSignal) => Promise<void>,
  ) {}

  start(): void {
    this.#stop = new AbortController();
    this.#turn(this.#stop.signal);
  }

  /** The next turn comes at once instead of after the pause. */
  wake(): void {
    if (this.#stop === undefined || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#turn(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop?.abort(new Interrupted('stopping', `The loop ${this.name} stops.`));
    this.#stop = undefined;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #turn(signal: AbortSignal): void {
    this.#timer = undefined;
    this.#running = this.#try(signal).then(() => {
      if (signal.aborted) return;
      this.#timer = setTimeout(() => {
        this.#turn(signal);
      }, this.pauseMs);
    });
  }

  async #try(signal: AbortSignal): Promise<void> {
    try {
      await this.work(signal);
      if (this.#trouble !== '') this.log.info({ loop: this.name }, 'It works again');
      this.#trouble = '';
    } catch (error) {
      if (signal.aborted && isInterrupted(error)) return;
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble !== this.#trouble) this.log.error({ loop: this.name, err: error }, trouble);
      this.#trouble = trouble;
    }
  }
}
