import type { Clock } from '../host/plugin.js';

/** Transactions of one kind that a vault serves in ten seconds. */
export interface VaultLimits {
  readonly creates: number;
  readonly others: number;
}

/** Documented for a standard vault. */
export const azureVaultLimits: VaultLimits = { creates: 300, others: 4_000 };

/** All vaults of a subscription together serve five times what one may (documented). */
export function subscriptionLimits({ creates, others }: VaultLimits): VaultLimits {
  return { creates: creates * 5, others: others * 5 };
}

const windowMs = 10_000;

/** Counts served transactions in windows of ten seconds; refused ones do not count (documented). */
export class VaultLimiter {
  readonly #served = new Map<keyof VaultLimits, { window: number; count: number }>();

  constructor(
    private readonly limits: VaultLimits | 'off',
    private readonly clock: Clock,
    /** Counts what the subscription's vaults serve together; unlimited when absent. */
    private readonly subscription?: VaultLimiter,
  ) {}

  /** 0 when served, otherwise the seconds to stay away. */
  take(kind: keyof VaultLimits): number {
    const both = this.subscription === undefined ? [this] : [this, this.subscription];
    const wait = Math.max(...both.map((limiter) => limiter.#wait(kind)));
    if (wait === 0) for (const limiter of both) limiter.#count(kind);
    return wait;
  }

  #wait(kind: keyof VaultLimits): number {
    if (this.limits === 'off') return 0;
    const now = this.clock();
    const served = this.#served.get(kind);
    if (served?.window !== windowAt(now) || served.count < this.limits[kind]) return 0;
    return Math.max(1, Math.ceil(((served.window + 1) * windowMs - now) / 1000));
  }

  #count(kind: keyof VaultLimits): void {
    const window = windowAt(this.clock());
    const before = this.#served.get(kind);
    this.#served.set(kind, { window, count: before?.window === window ? before.count + 1 : 1 });
  }
}

function windowAt(now: number): number {
  return Math.floor(now / windowMs);
}
