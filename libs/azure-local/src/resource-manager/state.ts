import { randomUUID } from 'node:crypto';
import type { Table } from '../host/persist.js';
import type { Circumstances, Clock } from '../host/plugin.js';
import { newKey, sameKey, traceOf, type KeyFormat, type Slot } from './keys.js';

export interface AccountDefinition {
  /** 2 to 64 letters, digits and hyphens; unique in the emulator, since it is also the path of its endpoint. */
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
}

export interface Account extends Required<AccountDefinition> {
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
}

/** How the data plane sees a key. `former`: once a key of this account, dead now. */
export type KeyVerdict =
  | { readonly accepted: true; readonly slot: Slot }
  | { readonly accepted: false; readonly slot: 'former' | 'unknown'; readonly keysDisabled?: boolean };

const rememberedDeadKeys = 64;
const slots = ['key1', 'key2'] as const;

/** The accounts of the subscription and their keys. */
export class Accounts {
  readonly #table: Table<Account>;

  constructor(
    table: Table<Account>,
    private readonly clock: Clock,
  ) {
    this.#table = table;
  }

  all(): readonly Account[] {
    return [...this.#table.entries()]
      .map(([, account]) => account)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): Account | undefined {
    return this.#table.get(name.toLowerCase());
  }

  /** Creates the account with two fresh keys, or changes what the definition says of an existing one. */
  put(definition: AccountDefinition): { readonly account: Account; readonly created: boolean } {
    const before = this.get(definition.name);
    const now = this.clock();
    if (before !== undefined) return { account: this.#change(before, definition), created: false };
    const keyFormat = definition.keyFormat ?? 'chars84';
    const account: Account = {
      kind: 'CognitiveServices',
      sku: 'S0',
      location: 'westeurope',
      resourceGroup: 'rg-ai',
      disableLocalAuth: false,
      tags: {},
      ...definition,
      keyFormat,
      internalId: randomUUID().replaceAll('-', ''),
      createdAt: now,
      changedAt: now,
      revision: 1,
      keys: { key1: newKey(keyFormat), key2: newKey(keyFormat) },
      former: {},
      lag: {},
      dead: [],
    };
    return { account: this.#keep(account), created: true };
  }

  patch(name: string, changes: Partial<AccountDefinition>): Account | undefined {
    const before = this.get(name);
    return before === undefined ? undefined : this.#change(before, changes);
  }

  delete(name: string): void {
    this.#table.write([name.toLowerCase(), undefined]);
  }

  /** A new key for the slot. The old one is refused from now on, unless a lag says otherwise. */
  regenerate(account: Account, slot: Slot, lag: Circumstances['lag']): Account {
    const now = this.clock();
    const old = account.keys[slot];
    const otherLag = Object.fromEntries(Object.entries(account.lag).filter(([name]) => name !== slot));
    return this.#change(account, {
      keys: { ...account.keys, [slot]: newKey(account.keyFormat) },
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

  #change(before: Account, changes: Partial<Account>): Account {
    return this.#keep({
      ...before,
      ...changes,
      name: before.name,
      changedAt: this.clock(),
      revision: before.revision + 1,
    });
  }

  #keep(account: Account): Account {
    this.#table.write([account.name.toLowerCase(), account]);
    return account;
  }
}
