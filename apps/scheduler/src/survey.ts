// Who is under care right now: the file's list and Azure's answers put together. Writes nothing.
import { sharedSecrets } from '@twinkey/account';
import { isPermanentFault, isTransientFault, type AccountId, type AccountSettings } from '@twinkey/contracts';
import type { AccountKeys, FoundAccount } from '@twinkey/key-store';
import type { CareList, Entry, Policy, SecretPlace } from './care-list.js';
import { secretOf } from './read-care-list.js';
import type { Troubled } from './sql/note-trouble.js';
import type { Sighted } from './sql/take-under-care.js';
import type { Withdrawn } from './sql/withdraw-accounts.js';

/** What a survey needs of Azure: reading, nothing else. */
export type Azure = Pick<AccountKeys, 'account' | 'accounts'>;

export interface Survey {
  readonly sighted: readonly Sighted[];
  readonly gone: readonly Withdrawn[];
  readonly troubled: readonly Troubled[];
  /** Subscriptions whose accounts could not be listed: who is missing from the lists above may well be there. */
  readonly unlisted: ReadonlySet<string>;
  /** What people should know and no account's row can say. */
  readonly remarks: readonly string[];
  /** Asking again soon may help. */
  readonly passing: boolean;
}

// Resource Manager allows a principal 25 reads a second in a subscription, after a first burst of 250.
const READS_AT_ONCE = 8;

interface Terms {
  readonly policy: Policy;
  readonly secret: SecretPlace;
}

export async function survey(list: CareList, azure: Azure): Promise<Survey> {
  const round = new Round(azure, list.onlyDeclaredConsumers);
  for (const subscription of list.discovery?.subscriptions ?? []) await round.list(subscription);
  await round.readEntries(list.entries);
  const adopt = list.discovery?.adopt;
  if (adopt) {
    for (const found of round.withTag(adopt.tag, adopt.value)) round.sight(found, adopt);
  }
  return round.result();
}

class Round {
  readonly #listed = new Map<AccountId, FoundAccount>();
  readonly #sighted = new Map<AccountId, Sighted>();
  readonly #gone = new Map<AccountId, Withdrawn>();
  readonly #troubled = new Map<AccountId, Troubled>();
  readonly #unlisted = new Set<string>();
  readonly #remarks: string[] = [];
  #passing = false;

  constructor(
    private readonly azure: Azure,
    private readonly onlyDeclaredConsumers: boolean,
  ) {}

  async list(subscription: string): Promise<void> {
    try {
      for await (const found of this.azure.accounts(subscription)) this.#listed.set(found.account, found);
    } catch (error) {
      this.#unlisted.add(subscription);
      this.#remarks.push(`subscription ${subscription}: accounts cannot be listed: ${this.#trouble(error)}`);
    }
  }

  async readEntries(entries: readonly Entry[]): Promise<void> {
    const waiting = entries.values();
    const reader = async () => {
      for (const { account, ...terms } of waiting) {
        if ('id' in account) await this.#read(account.id, terms);
        else this.#findByName(account.name, terms);
      }
    };
    await Promise.all(Array.from({ length: READS_AT_ONCE }, reader));
  }

  /** An entry's own terms come first. */
  sight(found: FoundAccount, { policy, secret }: Terms): void {
    const { account, kind, location, endpoint, disableLocalAuth } = found;
    if (this.#sighted.has(account)) return;
    const settings: AccountSettings = {
      account,
      kind,
      location,
      endpoint,
      secret: secretOf(account, secret),
      policy: policy.terms,
      ...(this.onlyDeclaredConsumers ? { onlyDeclaredConsumers: true } : {}),
    };
    const presence = disableLocalAuth ? 'keys-disabled' : 'here';
    this.#sighted.set(account, { account, presence, settings, schedule: policy.schedule });
  }

  *withTag(name: string, value: string): Generator<FoundAccount> {
    for (const found of this.#listed.values()) {
      // Azure compares names of tags without case, and their values with it.
      const tag = Object.entries(found.tags).find(([key]) => key.toLowerCase() === name.toLowerCase());
      if (tag?.[1] === value) yield found;
    }
  }

  result(): Survey {
    this.#refuseSharedSecrets();
    return {
      sighted: [...this.#sighted.values()],
      gone: [...this.#gone.values()],
      troubled: [...this.#troubled.values()],
      unlisted: this.#unlisted,
      remarks: this.#remarks,
      passing: this.#passing,
    };
  }

  async #read(account: AccountId, terms: Terms): Promise<void> {
    try {
      this.sight(this.#listed.get(account) ?? (await this.azure.account(account)), terms);
    } catch (error) {
      if (isPermanentFault(error) && error.code === 'account-not-found') {
        this.#gone.set(account, { account, reason: 'Azure does not know the account', listed: true });
        return;
      }
      this.#troubled.set(account, {
        account,
        schedule: terms.policy.schedule,
        trouble: this.#trouble(error),
      });
    }
  }

  #findByName(name: string, terms: Terms): void {
    const found = [...this.#listed.values()].filter((each) => each.name.toLowerCase() === name);
    const [only] = found;
    if (only !== undefined && found.length === 1) {
      this.sight(only, terms);
      return;
    }
    const why =
      found.length > 1
        ? `${found.length} accounts have this name; write the id of the one that is meant`
        : this.#unlisted.size > 0
          ? 'not found yet, not all subscriptions could be listed'
          : 'no account of the listed subscriptions has this name';
    this.#remarks.push(`account ${name}: ${why}`);
  }

  /** The file cannot know what discovery finds. Two accounts in one secret would cut off each other's consumers. */
  #refuseSharedSecrets(): void {
    const claims = [...this.#sighted.values()].map(({ account, settings: { secret } }) => ({
      account,
      secret,
    }));
    for (const { secret, accounts } of sharedSecrets(claims)) {
      for (const account of accounts) {
        this.#sighted.delete(account);
        this.#gone.set(account, {
          account,
          reason: `shares the secret "${secret.name}" in ${secret.vaultUrl} with another account; give it one of its own`,
          listed: true,
        });
      }
    }
  }

  #trouble(error: unknown): string {
    if (isPermanentFault(error)) {
      return [error.message, error.remedy].filter(Boolean).join('; ');
    }
    if (!isTransientFault(error)) throw error;
    this.#passing = true;
    return error.message;
  }
}
