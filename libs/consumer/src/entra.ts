// Entra first, the key as the way out: for accounts that are on their way to no keys at all.
//
//   preferred ──the account refuses the token, or none can be had──► keys only ──a while──► preferred
import { AzureKeyCredential, type AccessToken, type TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { TransientFault } from '@twinkey/contracts';
import { heal, type Healing } from './heal.js';
import type { HeldKey } from './key-holder.js';
import { fetchAttempts, isRepeatable, keyHeaderOf, showKey, showToken } from './proofs.js';
import type { Timing } from './timing.js';

export interface EntraOptions {
  /** The one of `connect` unless given. */
  readonly credential?: TokenCredential;
  /** `https://cognitiveservices.azure.com/.default` unless told. */
  readonly scope?: string;
  /** For how long only the key is used after the account refused the token. 300 unless told. */
  readonly rememberSeconds?: number;
}

/** In place of the account's own: the same three, which show a token of Entra and fall back to the key. */
export interface EntraFirst {
  /** For the client's constructor. It holds no key: calls that do not pass through `policy` are refused. */
  readonly credential: AzureKeyCredential;
  /** Where `account.policy` would be: `additionalPolicies: [{ policy, position: 'perRetry' }]`. */
  readonly policy: PipelinePolicy;
  readonly fetch: typeof fetch;
}

const SCOPE = 'https://cognitiveservices.azure.com/.default';
const REMEMBER_SECONDS = 300;
/** A credential that has no token may take long to say so. */
const NO_TOKEN_MS = 30_000;
/** Renewed this long before it expires. */
const RENEW_EARLY_MS = 120_000;
const NO_KEY = 'set-by-the-policy-of-twinkey';

export interface EntraParts {
  readonly name: string;
  readonly healing: Healing;
  readonly credential: TokenCredential;
  readonly timing: Pick<Timing, 'now'>;
  readonly fetch: typeof fetch;
  /** A call carries a token of Entra. */
  readonly presented: () => void;
  readonly failed: (error: Error) => void;
}

/** Throws a TypeError for bad options. */
export function entraFirst(options: EntraOptions, parts: EntraParts): EntraFirst {
  const { healing, presented, fetch: plain } = parts;
  const preference = new Preference(options, parts);

  /** `withToken` and `withKey` each send the request; `withKey` first lets go of the answer that it repeats. */
  const call = async <Answer extends { readonly status: number }>(
    isRepeatable: boolean,
    withToken: (token: string) => Promise<Answer>,
    withKey: (held: HeldKey, before?: Answer) => Promise<Answer>,
  ): Promise<Answer> => {
    const again = isRepeatable ? withKey : undefined;
    const token = await preference.token();
    if (token === undefined) return heal(healing, (held) => withKey(held), again);
    presented();
    const first = await withToken(token);
    if (!isRefusal(first)) return first;
    if (!isRepeatable) {
      preference.refused(first.status);
      return first;
    }
    const second = await heal(healing, (held) => withKey(held, first), withKey);
    // An account that refuses both says nothing about Entra.
    if (!isRefusal(second)) preference.refused(first.status);
    return second;
  };

  return {
    credential: new AzureKeyCredential(NO_KEY),
    policy: {
      name: 'twinkeyEntra',
      sendRequest: (request, next) => {
        const { headers, url, body } = request;
        const header = keyHeaderOf(headers, url);
        return call(
          isRepeatable(body),
          (token) => {
            showToken(headers, token);
            return next(request);
          },
          ({ key }) => {
            showKey(headers, header, key);
            return next(request);
          },
        );
      },
    },
    fetch: (input, init) => {
      const { header, send, isRepeatable } = fetchAttempts(plain, input, init);
      return call(
        isRepeatable,
        (token) =>
          send((headers) => {
            showToken(headers, token);
          }),
        async ({ key }, before) => {
          await before?.body?.cancel();
          return send((headers) => {
            showKey(headers, header, key);
          });
        },
      );
    },
  };
}

function isRefusal({ status }: { readonly status: number }): boolean {
  return status === 401 || status === 403;
}

/** Whether a token is to be shown, and which. */
class Preference {
  readonly #parts: EntraParts;
  readonly #credential: TokenCredential;
  readonly #scope: string;
  readonly #rememberMs: number;
  #keysOnlyUntil = -Infinity;
  #held: AccessToken | undefined;
  #asking: Promise<AccessToken | undefined> | undefined;

  constructor(
    { credential, scope = SCOPE, rememberSeconds = REMEMBER_SECONDS }: EntraOptions,
    parts: EntraParts,
  ) {
    if (!(rememberSeconds >= 0 && rememberSeconds < 2_000_000))
      throw new TypeError('twinkey: entra.rememberSeconds: must be a number of seconds, 0 or more');
    this.#parts = parts;
    this.#credential = credential ?? parts.credential;
    this.#scope = scope;
    this.#rememberMs = rememberSeconds * 1000;
  }

  /** Undefined: show the key. */
  async token(): Promise<string | undefined> {
    const { timing } = this.#parts;
    if (timing.now() < this.#keysOnlyUntil) return undefined;
    if (this.#held !== undefined && timing.now() < this.#held.expiresOnTimestamp - RENEW_EARLY_MS)
      return this.#held.token;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return (await this.#asking)?.token;
  }

  refused(status: number): void {
    const { name, timing } = this.#parts;
    this.#held = undefined; // the next one may carry a role that this one lacks
    this.#keysOnlyUntil = timing.now() + this.#rememberMs;
    this.#parts.failed(
      new TransientFault(
        'entra-refused',
        `${name}: the account answered ${status} to a token of Entra; calls carry the key for ${this.#rememberMs / 1000} s. Grant this identity the role Cognitive Services User.`,
      ),
    );
  }

  async #ask(): Promise<AccessToken | undefined> {
    const { name, timing, failed } = this.#parts;
    let cause: unknown;
    try {
      const token = await this.#credential.getToken(this.#scope);
      if (token !== null) {
        this.#held = token;
        return token;
      }
    } catch (error) {
      cause = error;
    }
    // What lives on is as good as new.
    if (this.#held !== undefined && this.#held.expiresOnTimestamp > timing.now()) return this.#held;
    this.#keysOnlyUntil = timing.now() + NO_TOKEN_MS;
    const said = cause instanceof Error ? cause.message.slice(0, 200) : 'the credential has none';
    failed(new TransientFault('entra-refused', `${name}: no token of Entra: ${said}`, { cause }));
    return undefined;
  }
}
