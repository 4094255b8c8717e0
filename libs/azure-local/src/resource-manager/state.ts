import type { Table } from '../host/persist.js';
import type { Circumstances, Clock } from '../host/plugin.js';
import { machineChance, newKey, sameKey, traceOf, type Chance, type KeyFormat, type Slot } from './keys.js';

type Fields = Readonly<Record<string, unknown>>;

export interface AccountDefinition {
  /** 2 to 64 letters, digits, hyphens, dots and underscores; unique in the emulator: it is its endpoint's path. */
  readonly name: string;
  /** `CognitiveServices`, `TextAnalytics`, `TextTranslation`, `OpenAI`, … */
  readonly kind?: string;
  readonly sku?: string;
  readonly location?: string;
  readonly resourceGroup?: string;
  readonly keyFormat?: KeyFormat;
  /** Keyless: its keys are neither listed nor accepted. */
  readonly disableLocalAuth?: boolean;
  readonly tags?: Readonly<Record<string, string>>;
  readonly identity?: Fields | undefined;
  /** What Azure keeps for the client beside the fields above: `customSubDomainName`, `networkAcls`, …. */
  readonly properties?: Fields;
}

export interface Account extends Required<Omit<AccountDefinition, 'identity' | 'properties'>> {
  readonly identity?: Fields | undefined;
  /** Absent in folders of before they were kept; such an account has its name for a subdomain. */
  readonly properties?: Fields;
  readonly internalId: string;
  readonly createdAt: number;
  readonly changedAt: number;
  /** Counts changes; the etag. */
  readonly revision: number;
  readonly keys: Readonly<Record<Slot, string>>;
  /** Before the last regeneration of each slot, for stale reads and late gateways. */
  readonly former: Readonly<Partial<Record<Slot, string>>>;
  readonly lag: Readonly<Partial<Record<Slot, { readonly oldUntil: number; readonly newFrom: number }>>>;
  /** Traces of keys that are dead, newest last, so that the ledger can tell a late user from a stranger. */
  readonly dead: readonly string[];
  /** Which regeneration came last, so that a stale read undoes no other. */
  readonly lastRegenerated?: Slot;
  /** Until then Azure is still at work on it, and refuses to change it. */
  readonly settlesAt?: number;
  /** Deleted, and kept for those who regret it. */
  readonly deletedAt?: number;
}

/** How the data plane sees a key. `former`: once a key of this account, dead now. */
export type KeyVerdict =
  | { readonly accepted: true; readonly slot: Slot }
  | { readonly accepted: false; readonly slot: 'former' | 'unknown'; readonly keysDisabled?: boolean };

const rememberedDeadKeys = 64;
const slots = ['key1', 'key2'] as const;

/** Documented: a deleted account can be recovered for 48 hours. */
export const recoverableMs = 48 * 3_600_000;

/** The accounts of the subscription and their keys. */
export class Accounts {
  readonly #table: Table<Account>;
  /** Each account as it was before its last change, the latest change last: what a stale read sees. */
  readonly #before = new Map<string, Account | undefined>();

  constructor(
    table: Table<Account>,
    private readonly clock: Clock,
    private readonly chance: Chance = machineChance,
  ) {
    this.#table = table;
  }

  /** `stale`: as the list was before the last change of any account. */
  all(stale = false): readonly Account[] {
    const [changed] = stale ? [...this.#before.keys()].slice(-1) : [];
    return [...new Set([...this.#table.entries()].map(([name]) => name)).add(changed ?? '')]
      .map((name) => this.get(name, name === changed))
      .filter((account) => account !== undefined)
      .sort(byName);
  }

  /** `stale`: as it was before its last change. */
  get(name: string, stale = false): Account | undefined {
    const key = name.toLowerCase();
    const account = stale && this.#before.has(key) ? this.#before.get(key) : this.#table.get(key);
    return account?.deletedAt === undefined ? account : undefined;
  }

  /** Those that can still be had back. */
  deleted(): readonly Account[] {
    return [...this.#table.entries()]
      .map(([, account]) => account)
      .filter((account) => this.#isRecoverable(account))
      .sort(byName);
  }

  /** Creates the account with two fresh keys, or changes what the definition says of an existing one. */
  put(
    definition: AccountDefinition,
    provisioningMs = 0,
  ): { readonly account: Account; readonly created: boolean } {
    const before = this.get(definition.name);
    if (before !== undefined)
      return { account: this.#change(before, definition, provisioningMs), created: false };
    const now = this.clock();
    const keyFormat = definition.keyFormat ?? 'chars84';
    const account: Account = {
      kind: 'CognitiveServices',
      sku: 'S0',
      location: 'westeurope',
      resourceGroup: 'rg-ai',
      disableLocalAuth: false,
      tags: {},
      properties: { customSubDomainName: definition.name },
      ...definition,
      keyFormat,
      internalId: this.chance.id().replaceAll('-', ''),
      createdAt: now,
      changedAt: now,
      revision: 1,
      keys: { key1: newKey(keyFormat, this.chance), key2: newKey(keyFormat, this.chance) },
      former: {},
      lag: {},
      dead: [],
      settlesAt: now + provisioningMs,
    };
    return { account: this.#keep(account), created: true };
  }

  patch(name: string, changes: Partial<AccountDefinition>, provisioningMs = 0): Account | undefined {
    const before = this.get(name);
    return before === undefined ? undefined : this.#change(before, changes, provisioningMs);
  }

  /** From now on only {@link deleted}, {@link restore} and {@link purge} know it. */
  delete(name: string): void {
    const before = this.get(name);
    if (before !== undefined) this.#keep({ ...before, deletedAt: this.clock() });
  }

  /** Brings a deleted account back, keys and all; `undefined` when there is none to bring back. */
  restore(name: string): Account | undefined {
    const before = this.#table.get(name.toLowerCase());
    if (before === undefined || !this.#isRecoverable(before)) return undefined;
    const { deletedAt: _, ...account } = before;
    return this.#keep({ ...account, changedAt: this.clock(), revision: before.revision + 1 });
  }

  purge(name: string): void {
    const key = name.toLowerCase();
    if (this.#table.get(key)?.deletedAt === undefined) return;
    this.#before.delete(key);
    this.#table.write([key, undefined]);
  }

  /** Somebody works on the account for so long: until then {@link isSettled} says no. */
  hold(name: string, ms: number): void {
    const account = this.get(name);
    if (account !== undefined) this.#table.write([name.toLowerCase(), this.#settling(account, ms)]);
  }

  /** Whether the provisioning state is terminal, so that the account may be changed. */
  isSettled({ settlesAt = 0 }: Account): boolean {
    return this.clock() >= settlesAt;
  }

  /** A new key for the slot. The old one is refused from now on, unless a lag says otherwise. */
  regenerate(account: Account, slot: Slot, lag: Circumstances['lag']): Account {
    const now = this.clock();
    const old = account.keys[slot];
    const otherLag = Object.fromEntries(Object.entries(account.lag).filter(([name]) => name !== slot));
    return this.#change(account, {
      keys: { ...account.keys, [slot]: newKey(account.keyFormat, this.chance) },
      former: { ...account.former, [slot]: old },
      lag:
        lag === undefined
          ? otherLag
          : { ...otherLag, [slot]: { oldUntil: now + lag.oldKeyForMs, newFrom: now + lag.newKeyAfterMs } },
      dead: [...account.dead, traceOf(old)].slice(-rememberedDeadKeys),
      lastRegenerated: slot,
    });
  }

  /** `stale`: as they were before the last regeneration. */
  keys(account: Account, stale: boolean): Readonly<Record<Slot, string>> {
    const slot = account.lastRegenerated;
    const old = slot === undefined ? undefined : account.former[slot];
    return stale && slot !== undefined && old !== undefined ? { ...account.keys, [slot]: old } : account.keys;
  }

  judge(account: Account, key: string): KeyVerdict {
    if (account.disableLocalAuth) return { accepted: false, slot: 'unknown', keysDisabled: true };
    const now = this.clock();
    for (const slot of slots) {
      const { oldUntil = 0, newFrom = 0 } = account.lag[slot] ?? {};
      if (now >= newFrom && sameKey(account.keys[slot], key)) return { accepted: true, slot };
      const old = account.former[slot];
      if (now < oldUntil && old !== undefined && sameKey(old, key)) return { accepted: true, slot };
    }
    return { accepted: false, slot: account.dead.includes(traceOf(key)) ? 'former' : 'unknown' };
  }

  #isRecoverable({ deletedAt }: Account): boolean {
    return deletedAt !== undefined && this.clock() < deletedAt + recoverableMs;
  }

  #change(before: Account, changes: Partial<Account>, provisioningMs = 0): Account {
    const changed: Account = {
      ...before,
      ...changes,
      name: before.name,
      changedAt: this.clock(),
      revision: before.revision + 1,
    };
    return this.#keep(provisioningMs > 0 ? this.#settling(changed, provisioningMs) : changed);
  }

  #settling(account: Account, ms: number): Account {
    return { ...account, settlesAt: this.clock() + ms };
  }

  #keep(account: Account): Account {
    const key = account.name.toLowerCase();
    const before = this.#table.get(key);
    this.#before.delete(key); // so that it becomes the latest
    this.#before.set(key, before?.deletedAt === undefined ? before : undefined);
    this.#table.write([key, account]);
    return account;
  }
}

function byName(a: Account, b: Account): number {
  return a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1;
}
