// Azure as it is, whoever looks: accounts with two keys, secrets with versions, what the data plane accepts. Who may
// see an older state, and how calls get lost on their way, is told by `arm.ts` and `vault.ts`.
import { accountName, type AccountId, type KeySlot } from '@twinkey/contracts';
import type { Chance } from './chance.js';
import type { Story } from './story.js';
import type { Timeline } from './timeline.js';

export type Keys = Readonly<Record<KeySlot, string>>;

export interface SecretVersion {
  readonly version: string;
  readonly value: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly at: number;
  /** Not by twinkey. */
  readonly byHand: boolean;
}

/** Every key of the world begins so: it must be found nowhere but in Azure and in the memory of processes. */
export const CANARY = 'SIMULATEDKEY';

export class Account {
  /** Newest last. */
  readonly history: { readonly at: number; readonly keys: Keys }[] = [];
  /** Newest last. */
  readonly versions: SecretVersion[] = [];
  /** Keys that died, with the moment from which the data plane refuses them and who did it. */
  readonly dead = new Map<string, { readonly at: number; readonly by: 'twinkey' | 'hand' }>();
  /** Keys that the data plane does not accept before this moment. */
  readonly notBefore = new Map<string, number>();
  readonly name: string;

  constructor(
    readonly id: AccountId,
    keys: Keys,
    now: number,
  ) {
    this.name = accountName(id);
    this.history.push({ at: now, keys });
  }

  get keys(): Keys {
    const last = this.history.at(-1);
    if (last === undefined) throw new Error('an account has keys');
    return last.keys;
  }

  get current(): SecretVersion | undefined {
    return this.versions.at(-1);
  }

  /** What a list showed that was as old as this. */
  keysAt(moment: number): Keys {
    return this.history.findLast(({ at }) => at <= moment)?.keys ?? this.keys;
  }

  versionAt(moment: number): SecretVersion | undefined {
    return this.versions.findLast(({ at }) => at <= moment);
  }

  holds(key: string): boolean {
    return this.keys.key1 === key || this.keys.key2 === key;
  }

  accepts(key: string, now: number): boolean {
    const death = this.dead.get(key);
    if (death !== undefined) return now < death.at;
    return this.holds(key) && now >= (this.notBefore.get(key) ?? 0);
  }
}

/** Is asked before, and told after, each change of the world outside. */
export interface Witness {
  regenerated(account: Account, slot: KeySlot, old: string, by: 'twinkey' | 'hand'): void;
  published(account: Account, version: SecretVersion): void;
}

export class Azure {
  readonly accounts = new Map<AccountId, Account>();
  witness: Witness = { regenerated: () => undefined, published: () => undefined };
  readonly #chance: Chance;

  constructor(
    private readonly timeline: Timeline,
    chance: Chance,
    private readonly story: Story,
  ) {
    this.#chance = chance.split('keys');
  }

  add(id: AccountId): Account {
    const account = new Account(id, { key1: this.#newKey(), key2: this.#newKey() }, this.timeline.now);
    this.accounts.set(id, account);
    return account;
  }

  account(id: AccountId): Account {
    const account = this.accounts.get(id);
    if (account === undefined) throw new Error(`there is no ${id}`);
    return account;
  }

  byName(name: string): Account | undefined {
    return [...this.accounts.values()].find((account) => account.name === name);
  }

  /** `lagMs`: how long the data plane knows nothing of it. */
  regenerate(account: Account, slot: KeySlot, by: 'twinkey' | 'hand', lagMs: number): Keys {
    const { now } = this.timeline;
    const old = account.keys[slot];
    const fresh = this.#newKey();
    this.story.tell(by === 'hand' ? 'somebody' : 'azure', `${account.name}: ${slot} is regenerated`);
    this.witness.regenerated(account, slot, old, by);
    account.history.push({ at: now, keys: { ...account.keys, [slot]: fresh } });
    account.dead.set(old, { at: now + lagMs, by });
    if (lagMs > 0) account.notBefore.set(fresh, now + lagMs);
    return account.keys;
  }

  write(account: Account, value: string, tags: Readonly<Record<string, string>>, byHand: boolean): string {
    const version = this.#chance.digits(12);
    const written = { version, value, tags, at: this.timeline.now, byHand };
    const slot = tags['twinkey-slot'] ?? 'no slot';
    const generation = tags['twinkey-generation'] ?? 'none';
    this.story.tell(
      byHand ? 'somebody' : 'azure',
      `${account.name}: the secret is now ${slot}, generation ${generation}`,
    );
    account.versions.push(written);
    this.witness.published(account, written);
    return version;
  }

  #newKey(): string {
    return `${CANARY}${this.#chance.digits(20)}`;
  }
}
