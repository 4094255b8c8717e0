// Looks for accounts that wait for nobody's message: after a crash, a lost message, or a wait that is over.
import { AccountId } from '@twinkey/contracts';
import { streamsToLookAt, type Database } from '@twinkey/journal';
import type { Background, Log } from '@twinkey/service';
import type { Advance } from './advance.js';
import type { Incarnations } from './incarnations.js';
import type { Turns } from './turns.js';

const AT_A_TIME = 500;

export class Sweep implements Background {
  readonly name = 'sweep';
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly advance: Advance,
    private readonly turns: Turns,
    private readonly everyMs: number,
    /** Called in every round; says now and then that there are rounds. */
    private readonly signOfLife: () => Promise<void>,
    private readonly incarnations: Pick<Incarnations, 'look'>,
    private readonly log: Log,
  ) {}

  start(): void {
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.#sweep());
    }, this.everyMs);
    this.#running = this.#sweep();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.turns.stop();
  }

  async #sweep(): Promise<void> {
    try {
      await this.signOfLife();
      await this.incarnations.look();
      for (const stream of await streamsToLookAt(this.database, { limit: AT_A_TIME }))
        this.advance.wake(AccountId.parse(stream));
    } catch (error) {
      // The database may be away for a while; the next sweep asks again, and readiness shows it meanwhile.
      this.log.warn({ err: error }, 'The sweep could not look for accounts.');
    }
  }
}
