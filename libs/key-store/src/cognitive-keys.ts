import { type Account, CognitiveServicesManagementClient } from '@azure/arm-cognitiveservices';
import type { TokenCredential } from '@azure/core-auth';
import { AccountId, accountParts, type KeySlot, PermanentFault, TransientFault } from '@twinkey/contracts';
import { attemptOnce, type CallBudget, type Effect, sendGate } from './effect.js';
import { armFault } from './faults.js';
import { WriteLimiter } from './limiter.js';
import type { ClientOptions, KeyStoreLog } from './log.js';
import { readWithin } from './read-within.js';
import { SecretText } from './secret-text.js';

/** Both keys of an account as one answer gave them. */
export interface SlotKeys {
  readonly key1: SecretText;
  readonly key2: SecretText;
}

/** An account as Resource Manager describes it. */
export interface FoundAccount {
  readonly account: AccountId;
  readonly name: string;
  readonly kind: string;
  readonly location: string;
  readonly endpoint: string;
  /** True: the account has keys, but accepts none. */
  readonly disableLocalAuth: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface AccountKeysOptions {
  readonly credential: TokenCredential;
  /** Resource Manager's endpoint, `https://management.azure.com` in the public cloud. */
  readonly endpoint: string;
  readonly log?: KeyStoreLog;
  readonly clientOptions?: ClientOptions;
  /** Made once per subscription; all calls of this object share it. */
  readonly limiter?: () => WriteLimiter;
}

/** Each subscription has two clients: what changes a key or counts as a write is never resent by the SDK. */
interface Clients {
  readonly reading: CognitiveServicesManagementClient;
  readonly once: CognitiveServicesManagementClient;
  readonly limiter: WriteLimiter;
}

const ARM_SLOT = { key1: 'Key1', key2: 'Key2' } as const;
const REMAINING_WRITES = 'x-ms-ratelimit-remaining-subscription-writes';
const LIST_DEADLINE_MS = 30_000;

/** The keys of Cognitive Services accounts, through Resource Manager. */
export class AccountKeys {
  readonly #options: AccountKeysOptions;
  readonly #clients = new Map<string, Clients>();

  constructor(options: AccountKeysOptions) {
    this.#options = options;
  }

  /** Throws PermanentFault `account-not-found`, `access-refused` …, TransientFault otherwise. */
  async account(account: AccountId, { deadlineMs = LIST_DEADLINE_MS } = {}): Promise<FoundAccount> {
    const { subscription, resourceGroup, name } = accountParts(account);
    const { reading } = this.#of(subscription);
    const answer = await readWithin(
      deadlineMs,
      (abortSignal) => reading.accounts.get(resourceGroup, name, { abortSignal }),
      armFault,
    );
    const found = describe(answer);
    if (found === undefined) {
      throw new TransientFault('account-busy', `${name}: has no endpoint yet, it is being created`);
    }
    return found;
  }

  /** All accounts of a subscription that have an endpoint. Throws the faults of `account`. */
  async *accounts(subscription: string): AsyncGenerator<FoundAccount, void, undefined> {
    const { reading } = this.#of(subscription.toLowerCase());
    const pages = reading.accounts.list().byPage();
    for (;;) {
      const page = await readWithin(LIST_DEADLINE_MS, () => pages.next(), armFault);
      if (page.done === true) return;
      for (const each of page.value) {
        const found = describe(each);
        if (found !== undefined) yield found;
      }
    }
  }

  /** Takes a token of the write bucket: Resource Manager counts it as a write. Throws faults; nothing is in doubt. */
  async listKeys(account: AccountId, { deadlineMs }: { deadlineMs: number }): Promise<SlotKeys> {
    const { subscription, resourceGroup, name } = accountParts(account);
    const { once, limiter } = this.#of(subscription);
    const startedAt = performance.now();
    const grant = await limiter.take({ withinMs: deadlineMs });
    if (!grant.granted) throw ownLimit(grant.retryAfterMs);
    const accounting = new Accounting(limiter, this.#options.log, subscription);
    try {
      const answer = await readWithin(
        deadlineMs - (performance.now() - startedAt),
        (abortSignal) =>
          once.accounts.listKeys(resourceGroup, name, { abortSignal, onResponse: accounting.heard }),
        armFault,
      );
      return slotKeys(answer);
    } finally {
      accounting.close();
    }
  }

  /**
   * Replaces the key of `slot`, in exactly one request, and answers with both keys. Never throws for what the
   * world does: the effect says whether it happened, did not, or is in doubt.
   */
  async regenerateKey(account: AccountId, slot: KeySlot, budget: CallBudget): Promise<Effect<SlotKeys>> {
    const { subscription, resourceGroup, name } = accountParts(account);
    const { once, limiter } = this.#of(subscription);
    const startedAt = performance.now();
    const grant = await limiter.take({ withinMs: budget.deadlineMs });
    if (!grant.granted) return { outcome: 'refused', fault: ownLimit(grant.retryAfterMs) };
    const accounting = new Accounting(limiter, this.#options.log, subscription);
    const effect = await attemptOnce(
      { deadlineMs: budget.deadlineMs - (performance.now() - startedAt), maySend: budget.maySend },
      (abortSignal) =>
        once.accounts.regenerateKey(resourceGroup, name, ARM_SLOT[slot], {
          abortSignal,
          onResponse: accounting.heard,
        }),
      armFault,
    );
    accounting.close({ sent: effect.outcome !== 'not-sent' });
    if (effect.outcome !== 'done') return effect;
    const { key1, key2 } = effect.value;
    // An answer without keys is an answer all the same: the key was replaced, and only listKeys knows by what.
    if (!key1 || !key2) return { outcome: 'in-doubt', message: 'the answer does not hold both keys' };
    return { outcome: 'done', value: { key1: new SecretText(key1), key2: new SecretText(key2) } };
  }

  /** How long a write of this subscription would wait for its token if it were asked for now, in milliseconds. */
  writeDelayMs(account: AccountId): number {
    return this.#of(accountParts(account).subscription).limiter.delayMs();
  }

  #of(subscription: string): Clients {
    const known = this.#clients.get(subscription);
    if (known !== undefined) return known;
    const { credential, endpoint, clientOptions, limiter } = this.#options;
    const common = { endpoint, credentialScopes: scopeOf(endpoint), ...clientOptions };
    const clients: Clients = {
      reading: new CognitiveServicesManagementClient(credential, subscription, common),
      once: new CognitiveServicesManagementClient(credential, subscription, {
        ...common,
        // With its default the SDK sends a lost regenerateKey again, and so replaces the key twice.
        retryOptions: { maxRetries: 0 },
        additionalPolicies: [{ policy: sendGate, position: 'perRetry' }],
      }),
      limiter: limiter?.() ?? new WriteLimiter(),
    };
    this.#clients.set(subscription, clients);
    return clients;
  }
}

/** The part of an answer that is looked at. */
interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | undefined };
}

/** What one call that took a token tells the limiter, exactly once. */
class Accounting {
  #remaining: number | undefined;
  #retryAfterMs: number | undefined;

  constructor(
    private readonly limiter: WriteLimiter,
    private readonly log: KeyStoreLog | undefined,
    private readonly subscription: string,
  ) {}

  readonly heard = (answer: Answer): void => {
    const remaining = Number(answer.headers.get(REMAINING_WRITES) ?? Number.NaN);
    if (Number.isFinite(remaining)) this.#remaining = remaining;
    if (answer.status !== 429) return;
    const fault = armFault({ statusCode: 429, response: answer });
    this.#retryAfterMs = fault.name === 'TransientFault' ? fault.retryAfterMs : undefined;
    this.log?.warn(
      { subscription: this.subscription, retryAfterMs: this.#retryAfterMs },
      'Resource Manager throttles: someone else writes with the same identity',
    );
  };

  close({ sent = true } = {}): void {
    if (!sent) {
      this.limiter.unused();
      return;
    }
    this.limiter.answered({
      ...(this.#remaining === undefined ? {} : { remaining: this.#remaining }),
      ...(this.#retryAfterMs === undefined ? {} : { retryAfterMs: this.#retryAfterMs }),
    });
  }
}

function ownLimit(retryAfterMs: number): TransientFault {
  return new TransientFault(
    'throttled',
    `Resource Manager: the next write token comes in ${retryAfterMs} ms`,
    {
      retryAfterMs,
    },
  );
}

function slotKeys({ key1, key2 }: { key1?: string; key2?: string }): SlotKeys {
  if (!key1 || !key2)
    throw new PermanentFault('unexpected-answer', 'listKeys: the answer does not hold both keys');
  return { key1: new SecretText(key1), key2: new SecretText(key2) };
}

function describe(found: Account): FoundAccount | undefined {
  const endpoint = found.properties?.endpoint;
  if (!endpoint || found.id === undefined) return undefined;
  return {
    account: AccountId.parse(found.id),
    name: found.name ?? '',
    kind: found.kind ?? '',
    location: found.location ?? '',
    endpoint,
    disableLocalAuth: found.properties?.disableLocalAuth === true,
    tags: found.tags ?? {},
  };
}

/**
 * The audience of tokens. Azure's clouds use their own endpoint; anything else poses as the public cloud, so
 * that its tokens look like those of production.
 */
export function scopeOf(endpoint: string): string {
  const { hostname, origin } = new URL(endpoint);
  const azure = /^management\.(azure\.com|usgovcloudapi\.net|chinacloudapi\.cn)$/.test(hostname);
  return `${azure ? origin : 'https://management.azure.com'}/.default`;
}
