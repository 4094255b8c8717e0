import type { Clock } from '../host/plugin.js';

/** Transactions of one kind that a vault serves in ten seconds. */
export interface VaultLimits {
  readonly creates: number;
  readonly others: number;
}

/** Documented for a standard vault. */
export const azureVaultLimits: VaultLimits = { creates: 300, others: 4_000 };

const windowMs = 10_000;

/** Counts served transactions in windows of ten seconds; refused ones do not count (documented). */
export class VaultLimiter {
  readonly #served = new Map<keyof VaultLimits, { window: number; count: number }>();

  constructor(
    private readonly limits: VaultLimits | 'off',
    private readonly clock: Clock,
  ) {}

  /** 0 when served, otherwise the seconds to stay away. */
  take(kind: keyof VaultLimits): number {
    if (this.limits === 'off') return 0;
    const now = this.clock();
    const window = Math.floor(now / windowMs);
    const before = this.#served.get(kind);
    const count = before?.window === window ? before.count : 0;
    if (count >= this.limits[kind]) return Math.max(1, Math.ceil(((window + 1) * windowMs - now) / 1000));
    this.#served.set(kind, { window, count: count + 1 });
    return 0;
  }
}
