// Tokens that a key buys: POST {endpoint}/sts/v1.0/issueToken. They live ten minutes, whatever becomes of the key.
//
//   none ──exchange──► fresh ──8 minutes, or a newer key──► due ──exchange──► fresh
//                                                            └─ it fails ──► due: the living token goes on, until it dies
import { type Generation, TransientFault } from '@twinkey/contracts';
import { heal, type Healing } from './heal.js';
import type { HeldKey } from './key-holder.js';
import { KEY_HEADER } from './proofs.js';
import { backoffMs, type Timing } from './timing.js';
import type { TokenDeaths } from './token-deaths.js';

/** Documented: a token is valid for 10 minutes. */
const TOKEN_LIVES_MS = 600_000;
const RENEW_AFTER_MS = 450_000;
/** Added to the time above by chance, which makes 7.5 to 8.5 minutes. */
const RENEW_SPREAD_MS = 60_000;
/** A token that dies sooner is as good as dead: the call still has to get there. */
const LAST_CALL_MS = 5_000;
const TRY_AGAIN_CEILING_MS = 30_000;
const EXCHANGE_WITHIN_MS = 10_000;

export interface TokenSourceParts {
  readonly name: string;
  readonly healing: Healing;
  readonly deaths: TokenDeaths;
  readonly timing: Timing;
  readonly closing: AbortSignal;
  readonly fetch: typeof fetch;
  readonly failed: (error: Error) => void;
  /** A token is handed out. */
  readonly handedOut: () => void;
}

interface HeldToken {
  readonly value: string;
  readonly generation: Generation;
  readonly renewAt: number;
  readonly diesAt: number;
}

/** One endpoint's token. Whoever asks at the same time shares one exchange. */
export class TokenSource {
  readonly #parts: TokenSourceParts;
  readonly #url: string;
  #held: HeldToken | undefined;
  #exchanging: Promise<void> | undefined;
  #failures = 0;
  #tryAt = -Infinity;

  /** Throws a TypeError for an endpoint that is no URL. */
  constructor(endpoint: string, parts: TokenSourceParts) {
    this.#url = exchangeUrl(endpoint);
    this.#parts = parts;
  }

  /** A token that works; fails with a TransientFault when none lives and none can be had. */
  async getToken(): Promise<string> {
    if (!this.#isFresh()) await this.#renew();
    const living = this.#living();
    if (living === undefined) throw this.#unavailable('no token was issued');
    this.#parts.handedOut();
    return living.value;
  }

  #isFresh(): boolean {
    const { healing, timing } = this.#parts;
    const living = this.#living();
    return living?.generation === healing.holder.generation && timing.now() < living.renewAt;
  }

  #living(): HeldToken | undefined {
    const { timing } = this.#parts;
    return this.#held !== undefined && this.#held.diesAt - LAST_CALL_MS > timing.now()
      ? this.#held
      : undefined;
  }

  async #renew(): Promise<void> {
    const { timing, closing } = this.#parts;
    const early = this.#tryAt - timing.now();
    if (early > 0 && this.#exchanging === undefined) {
      if (this.#living() !== undefined) return;
      await timing.wait(early, closing);
    }
    this.#exchanging ??= this.#exchange().finally(() => {
      this.#exchanging = undefined;
    });
    try {
      await this.#exchanging;
    } catch (error) {
      if (this.#living() === undefined) throw error;
    }
  }

  async #exchange(): Promise<void> {
    const { healing, timing, failed } = this.#parts;
    try {
      const buy = (held: HeldKey): Promise<{ status: number }> => this.#buy(held);
      const { status } = await heal(healing, buy, buy);
      if (status !== 200) throw this.#unavailable(`${this.#url} answered ${status}`);
      this.#failures = 0;
      this.#tryAt = -Infinity;
    } catch (error) {
      this.#tryAt = timing.now() + backoffMs(this.#failures, TRY_AGAIN_CEILING_MS, timing);
      this.#failures += 1;
      const fault = error instanceof TransientFault ? error : this.#unavailable(reasonOf(error), error);
      failed(fault);
      throw fault;
    }
  }

  /** Within the key's use, so that no acknowledgement leaves before the token's death is noted. */
  async #buy({ key, generation }: HeldKey): Promise<{ status: number }> {
    const { deaths, timing, fetch: plain } = this.#parts;
    const askedAt = timing.now();
    const answer = await plain(this.#url, {
      method: 'POST',
      headers: { [KEY_HEADER]: key },
      body: '',
      signal: AbortSignal.timeout(EXCHANGE_WITHIN_MS),
    });
    const value = await answer.text();
    if (answer.status !== 200) return { status: answer.status };
    if (!/^\S+$/.test(value)) throw this.#unavailable(`${this.#url} answered 200 without a token`);
    const diesAt = timing.now() + TOKEN_LIVES_MS; // issued before now, so it dies before
    deaths.note(generation, diesAt);
    const renewAt = askedAt + RENEW_AFTER_MS + RENEW_SPREAD_MS * timing.random();
    this.#held = { value, generation, renewAt, diesAt: askedAt + TOKEN_LIVES_MS };
    return { status: 200 };
  }

  #unavailable(why: string, cause?: unknown): TransientFault {
    return new TransientFault('token-not-issued', `${this.#parts.name}: ${why}`, { cause });
  }
}

function exchangeUrl(endpoint: string): string {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw new TypeError(
      `twinkey: tokens.endpoint: must be a URL like https://westeurope.api.cognitive.microsoft.com, not "${endpoint}"`,
    );
  }
  return `${endpoint.replace(/\/+$/, '')}/sts/v1.0/issueToken`;
}

function reasonOf(error: unknown): string {
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return reason instanceof Error ? reason.message || reason.name : String(reason);
}
