import type { Clock } from '../host/plugin.js';

export interface Bucket {
  readonly burst: number;
  readonly perSecond: number;
}

export type RequestKind = 'reads' | 'writes' | 'deletes';

export type ArmLimits = Readonly<Record<RequestKind, Bucket>>;

/** Documented, per subscription and principal. `listKeys` and `regenerateKey` are POSTs: writes. */
export const azureArmLimits: ArmLimits = {
  reads: { burst: 250, perSecond: 25 },
  writes: { burst: 200, perSecond: 10 },
  deletes: { burst: 200, perSecond: 10 },
};

/** Requests about no subscription draw on the tenant's buckets, which have no global twin. */
export type BucketPlace = 'subscription' | 'tenant';

/** All principals of a subscription together have 15 times one principal's. */
const globalFactor = 15;

export type Taken =
  | { readonly ok: true; readonly remaining: number; readonly globalRemaining: number }
  | { readonly ok: false; readonly retryAfterSeconds: number };

interface Level {
  tokens: number;
  at: number;
  refusedUntil: number;
}

/**
 * Token buckets: one for each principal and kind, and one global for each kind. Azure keeps such a set for each
 * subscription in each of its own regions; the emulator is one subscription seen through one region.
 */
export class Buckets {
  readonly #levels = new Map<string, Level>();

  constructor(
    private readonly limits: ArmLimits,
    private readonly clock: Clock,
  ) {}

  take(principal: string, kind: RequestKind, place: BucketPlace = 'subscription'): Taken {
    const { burst, perSecond } = this.limits[kind];
    const all = { burst: burst * globalFactor, perSecond: perSecond * globalFactor };
    const own = this.#level(`${place} ${kind} ${principal}`, { burst, perSecond });
    const global = this.#level(`${place} ${kind} *`, all);
    const now = this.clock();
    // Before the promised time a request is refused again (documented). The promise stands: were it renewed, a
    // client that asks twice a second would wait for ever.
    if (now < own.refusedUntil)
      return { ok: false, retryAfterSeconds: Math.ceil((own.refusedUntil - now) / 1000) };
    const seconds = Math.max(secondsUntilOne(own, perSecond), secondsUntilOne(global, all.perSecond));
    if (seconds > 0) {
      own.refusedUntil = now + seconds * 1000;
      return { ok: false, retryAfterSeconds: seconds };
    }
    own.tokens -= 1;
    global.tokens -= 1;
    return { ok: true, remaining: Math.floor(own.tokens), globalRemaining: Math.floor(global.tokens) };
  }

  #level(key: string, { burst, perSecond }: Bucket): Level {
    const now = this.clock();
    const level = this.#levels.get(key) ?? { tokens: burst, at: now, refusedUntil: 0 };
    level.tokens = Math.min(burst, level.tokens + (Math.max(0, now - level.at) / 1000) * perSecond);
    level.at = now;
    this.#levels.set(key, level);
    return level;
  }
}

function secondsUntilOne({ tokens }: Level, perSecond: number): number {
  return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
}
