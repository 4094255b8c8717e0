import type { AzureKeyCredential, TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import type { AccountId, Generation } from '@twinkey/contracts';
import { entraFirst, type EntraFirst, type EntraOptions } from './entra.js';
import type { Events } from './events.js';
import type { FollowedAccount } from './followed-account.js';
import { type Healing, healingFetch, healingPolicy } from './heal.js';
import { KEY_HEADER } from './proofs.js';
import type { Timing } from './timing.js';
import { TokenSource } from './token-source.js';
import type { Used } from './usage.js';

/** An account whose key this process uses. */
export interface TwinkeyAccount {
  readonly id: AccountId;
  readonly name: string;
  /** The generation in use; 0 while there is none. */
  readonly generation: Generation;
  /** Resolves with the first key. `connect` has waited for it unless told otherwise. */
  readonly ready: Promise<void>;
  /**
   * A credential for any Azure client, updated in place. Calls signed with it are not seen: the older key stays alive
   * for `drainSeconds`, unless `policy` is part of the client's pipeline too. Throws while there is no key.
   */
  readonly credential: AzureKeyCredential;
  /**
   * Sets the key on each request, counts it as under way, and repeats it once when it was refused and a newer key is
   * found. Behind the phase that signs: `additionalPolicies: [{ policy, position: 'perRetry' }]`.
   */
  readonly policy: PipelinePolicy;
  /**
   * `fetch` that does what `policy` does. Sets `api-key` when the request has that header or comes from a client of
   * OpenAI, else `Ocp-Apim-Subscription-Key`.
   */
  readonly fetch: typeof fetch;
  /**
   * The current key, for clients that ask for it before each call: `new OpenAI({ apiKey: account.apiKey })`. Their calls
   * are not seen, as with `credential`.
   */
  readonly apiKey: () => Promise<string>;
  /** Headers with the current key, for one call that is not seen, as with `credential`. `header`: another name for it. */
  headers(header?: string): Promise<Record<string, string>>;
  /** Runs a call of any kind with the current key; it counts as under way until the promise settles. Do not keep the key. */
  use<Result>(call: (key: string) => Promise<Result>): Promise<Result>;
  /**
   * Tokens of ten minutes that the key buys at `{endpoint}/sts/v1.0/issueToken`, for the speech services and the
   * translator. `getToken` answers from memory, renews after about eight minutes and after a switch, and goes on with
   * the living token when that fails. An older key counts as in use until the last token that it bought is dead.
   */
  tokens(options: { readonly endpoint: string }): TokenProvider;
  /** Credential, policy and fetch that show a token of Entra first, and the key when the account does not take it. */
  entra(options?: EntraOptions): EntraFirst;
  /** What was shown to the account since the start. The notifier is told, so that people see who still uses keys. */
  readonly used: Used;
}

export interface TokenProvider {
  /** Fails with a TransientFault when no token lives and none can be had. */
  readonly getToken: () => Promise<string>;
}

export interface AccountParts {
  readonly events: Events;
  /** For Entra, unless the application names another one. */
  readonly credential: TokenCredential;
  readonly timing: Timing;
  readonly fetch: typeof fetch;
  readonly closing: AbortSignal;
  /** What stands between a policy and the client's transport; nothing unless given. */
  readonly around?: (policy: PipelinePolicy) => PipelinePolicy;
}

/** An account as an application sees it. */
export function accountOf(followed: FollowedAccount, parts: AccountParts): TwinkeyAccount {
  const { events, timing, closing, credential, fetch: plain, around = (policy) => policy } = parts;
  const { id, name, holder, ready, usage } = followed;
  const quiet: Healing = {
    holder,
    confirm: () => followed.confirm(),
    findNewer: (than) => followed.findNewer(than),
    refused: (call) => {
      events.emit('refused', { ...call, account: id, name });
    },
  };
  const healing: Healing = { ...quiet, presented: () => (usage.key += 1) };
  const failed = (error: Error): void => {
    events.emit('error', error);
  };
  const handOut = async (): Promise<string> => {
    await followed.confirm();
    const key = holder.handOut();
    usage.key += 1;
    return key;
  };
  return {
    id,
    name,
    ready,
    get generation() {
      return followed.generation;
    },
    get credential() {
      return holder.credential;
    },
    get used() {
      return followed.used;
    },
    policy: around(healingPolicy(healing)),
    fetch: healingFetch(healing, plain),
    apiKey: handOut,
    headers: async (header = KEY_HEADER) => ({ [header]: await handOut() }),
    use: async (call) => {
      await followed.confirm();
      return holder.use(({ key }) => {
        usage.key += 1;
        return call(key);
      });
    },
    tokens: ({ endpoint }) => {
      const source = new TokenSource(endpoint, {
        name,
        healing: quiet,
        deaths: followed.tokenDeaths,
        timing,
        closing,
        fetch: plain,
        failed,
        handedOut: () => (usage.token += 1),
      });
      return { getToken: () => source.getToken() };
    },
    entra: (options = {}) => {
      const first = entraFirst(options, {
        name,
        healing,
        credential,
        timing,
        fetch: plain,
        failed,
        presented: () => (usage.entra += 1),
      });
      return { ...first, policy: around(first.policy) };
    },
  };
}
