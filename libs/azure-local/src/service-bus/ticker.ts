/** What time does to the broker, done in time. */
export interface Ticking {
  now(): number;
  turn(): void;
  /** Cheap enough to be done whenever the ticker looks. */
  expireGrants(): void;
  readonly broker: { readonly nextDue: number };
}

const LONGEST_SLEEP_MS = 1000;
const INJECTED_CLOCK_POLL_MS = 10;

/**
 * Wakes the broker when something is due. The next due time may come nearer at any moment, so it is looked at
 * again at least every few milliseconds; an injected clock may jump at any moment too.
 */
export class Ticker {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly of: Ticking,
    private readonly clockIsInjected: boolean,
  ) {}

  start(): void {
    this.sleep();
  }

  private sleep(): void {
    const wait = this.of.broker.nextDue - this.of.now();
    const limit = this.clockIsInjected ? INJECTED_CLOCK_POLL_MS : LONGEST_SLEEP_MS;
    const ms = this.clockIsInjected ? limit : Math.max(1, Math.min(wait, limit));
    this.timer = setTimeout(() => {
      if (this.of.broker.nextDue <= this.of.now()) this.of.turn();
      this.of.expireGrants();
      this.sleep();
    }, ms);
    this.timer.unref();
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}
