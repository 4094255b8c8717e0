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

/** Wakes the broker when something is due. An injected clock may jump at any moment, so it is looked at often. */
export class Ticker {
  private timer: NodeJS.Timeout | undefined;
  private wakesFor = Infinity;

  constructor(
    private readonly of: Ticking,
    private readonly clockIsInjected: boolean,
  ) {}

  start(): void {
    this.wakesFor = this.of.broker.nextDue;
    const wait = this.clockIsInjected
      ? INJECTED_CLOCK_POLL_MS
      : Math.max(1, Math.min(this.wakesFor - this.of.now(), LONGEST_SLEEP_MS));
    this.timer = setTimeout(() => {
      if (this.of.broker.nextDue <= this.of.now()) this.of.turn();
      this.of.expireGrants();
      this.start();
    }, wait);
    this.timer.unref();
  }

  /** After a turn: something may be due sooner than the timer knows. */
  review(): void {
    if (this.timer === undefined || this.of.broker.nextDue >= this.wakesFor) return;
    clearTimeout(this.timer);
    this.start();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
