import type { Background, Log } from '@twinkey/service';

/**
 * Repeats `work` with a pause in between until it is stopped. What it throws is logged and ends nothing: the work
 * starts from the tables each time. The same trouble in a row is logged once.
 */
export class Loop implements Background {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;
  #trouble = '';

  constructor(
    readonly name: string,
    private readonly pauseMs: number,
    private readonly log: Log,
    private readonly work: () => Promise<void>,
  ) {}

  start(): void {
    this.#stopped = false;
    this.#turn();
  }

  /** The next turn comes at once instead of after the pause. */
  wake(): void {
    if (this.#stopped || this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#turn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #turn(): void {
    this.#timer = undefined;
    this.#running = this.#try().then(() => {
      if (!this.#stopped)
        this.#timer = setTimeout(() => {
          this.#turn();
        }, this.pauseMs);
    });
  }

  async #try(): Promise<void> {
    try {
      await this.work();
      if (this.#trouble !== '') this.log.info({ loop: this.name }, 'It works again');
      this.#trouble = '';
    } catch (error) {
      const trouble = error instanceof Error ? error.message : String(error);
      if (trouble !== this.#trouble) this.log.error({ loop: this.name, error }, trouble);
      this.#trouble = trouble;
    }
  }
}
