// One hold of an account's lease: the ring as committed last, and how to commit to it.
import { Interrupted, type AccountId, type AccountSettings } from '@twinkey/contracts';
import { leaseRemainingMs, renewLease, type Database, type LeaseGrant } from '@twinkey/journal';
import type { RingEvent } from '@twinkey/rotation';
import type { KeyRings, LoadedRing } from './key-rings.js';

/** Between the last check of the lease and the last byte of a call some time passes; it is kept free. */
const LEASE_MARGIN_MS = 1_000;
const TRIES = 20;

export interface WorkTimes {
  readonly leaseMs: number;
  readonly callDeadlineMs: number;
}

export class Work {
  private constructor(
    readonly settings: AccountSettings,
    private readonly database: Database,
    private readonly rings: KeyRings,
    private readonly times: WorkTimes,
    private readonly clock: () => Date,
    private grant: LeaseGrant,
    private loaded: LoadedRing,
  ) {}

  static async begin(
    account: AccountId,
    grant: LeaseGrant,
    {
      settings,
      database,
      rings,
      times,
      clock,
    }: {
      settings: AccountSettings;
      database: Database;
      rings: KeyRings;
      times: WorkTimes;
      clock: () => Date;
    },
  ): Promise<Work> {
    return new Work(settings, database, rings, times, clock, grant, await rings.load(account));
  }

  get ring(): LoadedRing['ring'] {
    return this.loaded.ring;
  }

  get lease(): LeaseGrant {
    return this.grant;
  }

  now(): number {
    return this.clock().getTime();
  }

  /** May a call that takes up to its deadline still be sent? Asked as the last thing before the bytes leave. */
  readonly maySend = (): boolean =>
    leaseRemainingMs(this.grant) >= this.times.callDeadlineMs + LEASE_MARGIN_MS;

  /** Makes sure that the lease outlives a call. Throws Interrupted when it is someone else's. */
  async keepLease(): Promise<void> {
    if (leaseRemainingMs(this.grant) > this.times.leaseMs / 2 && this.maySend()) return;
    const renewed = await renewLease(this.database, this.grant, this.times.leaseMs);
    if (renewed === null)
      throw new Interrupted('lease-lost', `The lease of ${this.ring.account} is someone else's.`);
    this.grant = renewed;
  }

  /**
   * Commits a decision that was taken on the ring as it is. False: the ring changed meanwhile, and the decision
   * must be taken again.
   */
  async decide(events: readonly RingEvent[], lookAgainAt: Date | null = this.soon()): Promise<boolean> {
    const outcome = await this.rings.record(this.loaded, events, {
      settings: this.settings,
      lookAgainAt,
      lease: this.grant,
    });
    if (outcome.recorded) {
      this.loaded = outcome.loaded;
      return true;
    }
    this.loaded = await this.rings.load(this.ring.account);
    return false;
  }

  /** Commits what happened outside. It happened whatever the ring says now, so it is folded into the newest one. */
  async result(events: readonly RingEvent[]): Promise<void> {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      if (await this.decide(events)) return;
    }
    throw new Interrupted(
      'ring-contended',
      `The key ring of ${this.ring.account} changed ${TRIES} times meanwhile.`,
    );
  }

  /** If this process dies now, another one looks when the lease is over. */
  private soon(): Date {
    return new Date(this.now() + this.times.leaseMs + LEASE_MARGIN_MS);
  }
}
