import type { Table } from '../host/persist.js';
import type { Clock } from '../host/plugin.js';

/** One version of a secret. Times in whole seconds, as the vault keeps them: two versions can share one. */
export interface SecretVersion {
  readonly id: string;
  readonly value: string;
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly enabled: boolean;
  readonly notBefore?: number;
  readonly expires?: number;
  readonly created: number;
  readonly updated: number;
}

/** What a client may say about a version; absent = as it is. */
export type VersionChanges = Partial<
  Pick<SecretVersion, 'contentType' | 'tags' | 'enabled' | 'notBefore' | 'expires'>
>;

export interface SecretState {
  /** As it was first spelled. */
  readonly name: string;
  readonly current: string;
  /** The one before, for reads that are stale. */
  readonly previous?: string;
  readonly deleted?: { readonly at: number; readonly purgeAt: number };
}

/** `name` → its state, `name/version` → that version. */
export type VaultRecord = SecretState | SecretVersion;

export type VaultRefusal = 'not-found' | 'deleted' | 'disabled';

export const recoverableDays = 90;

/** The secrets of one vault. Names are compared without case, as Key Vault does; refusals are values. */
export class Vault {
  readonly #table: Table<VaultRecord>;
  readonly #secrets = new Map<string, { state: SecretState; versions: Map<string, SecretVersion> }>();

  constructor(
    table: Table<VaultRecord>,
    private readonly clock: Clock,
    /** 32 hex digits. */
    private readonly newVersionId: () => string,
  ) {
    this.#table = table;
    for (const [key, record] of table.entries()) this.#remember(key, record);
  }

  set(name: string, value: string, changes: VersionChanges): SecretVersion | VaultRefusal {
    const before = this.#secrets.get(key(name))?.state;
    if (before !== undefined && this.#isDeleted(before)) return 'deleted';
    const now = this.#now();
    const version: SecretVersion = {
      id: this.newVersionId(),
      value,
      enabled: true,
      ...changes,
      created: now,
      updated: now,
    };
    const state: SecretState = {
      name: before?.name ?? name,
      current: version.id,
      ...(before === undefined ? {} : { previous: before.current }),
    };
    this.#write([key(name), state], [`${key(name)}/${version.id}`, version]);
    return version;
  }

  /** Without `id` the current version; `stale` answers from before the last `set`. */
  get(name: string, id?: string, stale = false): SecretVersion | VaultRefusal {
    const found = this.find(name, id, stale);
    return typeof found === 'string' || found.enabled ? found : 'disabled';
  }

  /** As `get`, but disabled versions are found too: their properties may be read and changed. */
  find(name: string, id?: string, stale = false): SecretVersion | VaultRefusal {
    const secret = this.#live(name);
    if (secret === undefined) return 'not-found';
    if (id === undefined && stale && secret.state.previous === undefined) return 'not-found';
    const wanted = id ?? (stale ? secret.state.previous : undefined) ?? secret.state.current;
    return secret.versions.get(wanted.toLowerCase()) ?? 'not-found';
  }

  update(name: string, id: string | undefined, changes: VersionChanges): SecretVersion | VaultRefusal {
    const found = this.find(name, id);
    if (typeof found === 'string') return found;
    const version = { ...found, ...changes, updated: this.#now() };
    this.#write([`${key(name)}/${found.id}`, version]);
    return version;
  }

  /** Names with their current version, by name. */
  list(): readonly (readonly [name: string, current: SecretVersion])[] {
    return this.#listed((state) => !this.#isDeleted(state));
  }

  listDeleted(): readonly (readonly [name: string, current: SecretVersion])[] {
    return this.#listed((state) => this.#isDeleted(state));
  }

  /** Ordered by id, that is, not by age. */
  versions(name: string): readonly SecretVersion[] | VaultRefusal {
    const secret = this.#live(name);
    if (secret === undefined) return 'not-found';
    return [...secret.versions.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  delete(name: string): SecretVersion | VaultRefusal {
    const secret = this.#live(name);
    if (secret === undefined) return 'not-found';
    const at = this.#now();
    const deleted = { at, purgeAt: at + recoverableDays * 24 * 3600 };
    this.#write([key(name), { ...secret.state, deleted }]);
    return this.#current(secret);
  }

  deleted(
    name: string,
  ): { readonly version: SecretVersion; readonly at: number; readonly purgeAt: number } | 'not-found' {
    const secret = this.#secrets.get(key(name));
    if (secret?.state.deleted === undefined || !this.#isDeleted(secret.state)) return 'not-found';
    return { version: this.#current(secret), ...secret.state.deleted };
  }

  recover(name: string): SecretVersion | VaultRefusal {
    const secret = this.#secrets.get(key(name));
    if (secret === undefined || !this.#isDeleted(secret.state)) return 'not-found';
    const { name: spelled, current, previous } = secret.state;
    this.#write([key(name), { name: spelled, current, ...(previous === undefined ? {} : { previous }) }]);
    return this.#current(secret);
  }

  purge(name: string): 'purged' | 'not-found' {
    const secret = this.#secrets.get(key(name));
    if (secret === undefined || !this.#isDeleted(secret.state)) return 'not-found';
    const versions = [...secret.versions.keys()].map((id) => [`${key(name)}/${id}`, undefined] as const);
    this.#write([key(name), undefined], ...versions);
    return 'purged';
  }

  #listed(wanted: (state: SecretState) => boolean): readonly (readonly [string, SecretVersion])[] {
    return [...this.#secrets]
      .filter(([, { state }]) => wanted(state))
      .map(([, secret]) => [secret.state.name, this.#current(secret)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #live(name: string) {
    const secret = this.#secrets.get(key(name));
    return secret === undefined || this.#isDeleted(secret.state) ? undefined : secret;
  }

  #isDeleted({ deleted }: SecretState): boolean {
    return deleted !== undefined;
  }

  #current({ state, versions }: { state: SecretState; versions: Map<string, SecretVersion> }): SecretVersion {
    const version = versions.get(state.current);
    if (version === undefined) throw new Error(`The vault lost version ${state.current}.`);
    return version;
  }

  #now(): number {
    return Math.floor(this.clock() / 1000);
  }

  #write(...changes: readonly (readonly [string, VaultRecord | undefined])[]): void {
    this.#table.write(...changes);
    for (const [at, record] of changes) {
      if (record !== undefined) this.#remember(at, record);
      else if (!at.includes('/')) this.#secrets.delete(at);
    }
  }

  #remember(at: string, record: VaultRecord): void {
    const [name = '', id] = at.split('/');
    const known = this.#secrets.get(name);
    const versions = known?.versions ?? new Map<string, SecretVersion>();
    if ('value' in record) versions.set(id ?? record.id, record);
    const state = 'value' in record ? (known?.state ?? { name, current: record.id }) : record;
    this.#secrets.set(name, { state, versions });
  }
}

function key(name: string): string {
  return name.toLowerCase();
}
