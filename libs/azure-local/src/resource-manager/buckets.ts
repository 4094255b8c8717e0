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

/** Token buckets of one subscription: one for each principal and kind, and one global for each kind. */
export class Buckets {
  readonly #levels = new Map<string, Level>();

  constructor(
    private readonly limits: ArmLimits,
    private readonly clock: Clock,
  ) {}

  take(principal: string, kind: RequestKind): Taken {
    const { burst, perSecond } = this.limits[kind];
    const own = this.#level(`${kind} ${principal}`, { burst, perSecond });
    const global = this.#level(`${kind} *`, {
      burst: burst * globalFactor,
      perSecond: perSecond * globalFactor,
    });
    const now = this.clock();
    const short = [own, global].find((level) => level.tokens < 1);
    // A request before the promised time is refused again, with a new promise (documented).
    if (short !== undefined || now < own.refusedUntil) {
      const retryAfterSeconds = Math.max(1, Math.ceil((1 - (short?.tokens ?? 1)) / perSecond));
      own.refusedUntil = now + retryAfterSeconds * 1000;
      return { ok: false, retryAfterSeconds };
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
