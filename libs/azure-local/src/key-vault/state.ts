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

/** When a secret was deleted, and when it goes for good unless somebody recovers it. */
export interface Deletion {
  readonly at: number;
  readonly purgeAt: number;
}

export interface SecretState {
  /** As it was first spelled. */
  readonly name: string;
  readonly current: string;
  readonly deleted?: Deletion;
}

/** `name` → its state, `name/version` → that version. */
export type VaultRecord = SecretState | SecretVersion;

/** All of one secret, never changed in place: an older one is what a stale read sees. */
interface Secret extends SecretState {
  readonly versions: ReadonlyMap<string, SecretVersion>;
}

/** What a backup holds: all versions with their ids and times. */
export interface SecretCopy {
  readonly name: string;
  readonly current: string;
  readonly versions: readonly SecretVersion[];
}

export type VaultRefusal = 'not-found' | 'deleted' | 'disabled';

/** Azure's own bounds; the longest is what a vault has unless its owner chose another. */
export const retention = { shortestDays: 7, longestDays: 90 } as const;

/** The secrets of one vault. Names are compared without case, as Key Vault does; refusals are values. */
export class Vault {
  readonly #table: Table<VaultRecord>;
  readonly #secrets = new Map<string, Secret>();
  /** Each secret that changed, as it was before its last change; `undefined` when it did not exist. */
  readonly #before = new Map<string, Secret | undefined>();
  #lastChanged: string | undefined;

  constructor(
    table: Table<VaultRecord>,
    private readonly clock: Clock,
    /** 32 hex digits. */
    private readonly newVersionId: () => string,
    /** How long a deleted secret can be recovered. */
    readonly retentionDays: number = retention.longestDays,
  ) {
    const { shortestDays, longestDays } = retention;
    if (!Number.isInteger(retentionDays) || retentionDays < shortestDays || retentionDays > longestDays) {
      throw new Error(`retentionDays: ${retentionDays} is none; use ${shortestDays} to ${longestDays}.`);
    }
    this.#table = table;
    for (const [at, secret] of assemble(table)) this.#secrets.set(at, secret);
  }

  set(name: string, value: string, changes: VersionChanges): SecretVersion | VaultRefusal {
    const before = this.#secret(name);
    if (before?.deleted !== undefined) return 'deleted';
    const now = this.#now();
    const id = this.newVersionId();
    const version: SecretVersion = { id, value, enabled: true, ...changes, created: now, updated: now };
    this.#change(name, withVersion(before ?? { name, current: id, versions: new Map() }, version, id), [
      version,
    ]);
    return version;
  }

  /** Without `id` the current version; `stale` answers from before the last change of the secret. */
  get(name: string, id?: string, stale = false): SecretVersion | VaultRefusal {
    const found = this.find(name, id, stale);
    return typeof found === 'string' || found.enabled ? found : 'disabled';
  }

  /** As `get`, but disabled versions are found too: their properties may be read and changed. */
  find(name: string, id?: string, stale = false): SecretVersion | VaultRefusal {
    const secret = this.#live(name, stale);
    return secret?.versions.get((id ?? secret.current).toLowerCase()) ?? 'not-found';
  }

  /** The name as it was first spelled; as it is given when the vault has no such secret. */
  spelling(name: string): string {
    return (this.#secrets.get(key(name)) ?? this.#before.get(key(name)))?.name ?? name;
  }

  update(name: string, id: string | undefined, changes: VersionChanges): SecretVersion | VaultRefusal {
    const secret = this.#live(name);
    const found = this.find(name, id);
    if (typeof found === 'string' || secret === undefined) return 'not-found';
    const version = { ...found, ...changes, updated: this.#now() };
    this.#change(name, withVersion(secret, version, secret.current), [version]);
    return version;
  }

  /** Names with their current version, ordered by name without case. Stale: without the vault's last change. */
  list(stale = false): readonly (readonly [name: string, current: SecretVersion])[] {
    return this.#listed(stale, ({ deleted }) => deleted === undefined);
  }

  listDeleted(stale = false): readonly (readonly [name: string, current: SecretVersion])[] {
    return this.#listed(stale, ({ deleted }) => deleted !== undefined);
  }

  /** Ordered by id, that is, not by age. */
  versions(name: string, stale = false): readonly SecretVersion[] | VaultRefusal {
    const secret = this.#live(name, stale);
    if (secret === undefined) return 'not-found';
    return [...secret.versions.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  delete(name: string): SecretVersion | VaultRefusal {
    const secret = this.#live(name);
    if (secret === undefined) return 'not-found';
    const at = this.#now();
    this.#change(name, { ...secret, deleted: { at, purgeAt: at + this.retentionDays * 24 * 3600 } });
    return currentOf(secret);
  }

  deleted(name: string, stale = false): (Deletion & { readonly version: SecretVersion }) | 'not-found' {
    const secret = this.#secret(name, stale);
    if (secret?.deleted === undefined) return 'not-found';
    return { version: currentOf(secret), ...secret.deleted };
  }

  recover(name: string): SecretVersion | VaultRefusal {
    const secret = this.#secret(name);
    if (secret?.deleted === undefined) return 'not-found';
    const { name: spelled, current, versions } = secret;
    this.#change(name, { name: spelled, current, versions });
    return currentOf(secret);
  }

  purge(name: string): 'purged' | 'not-found' {
    if (this.#secret(name)?.deleted === undefined) return 'not-found';
    this.#erase(key(name));
    return 'purged';
  }

  copy(name: string): SecretCopy | 'not-found' {
    const secret = this.#live(name);
    if (secret === undefined) return 'not-found';
    return { name: secret.name, current: secret.current, versions: [...secret.versions.values()] };
  }

  /** Puts a copy back under its name, with the ids and times it had. */
  restore({ name, current, versions }: SecretCopy): SecretVersion | 'exists' | 'deleted' {
    const there = this.#secret(name);
    if (there !== undefined) return there.deleted === undefined ? 'exists' : 'deleted';
    const secret = { name, current, versions: new Map(versions.map((version) => [version.id, version])) };
    this.#change(name, secret, versions);
    return currentOf(secret);
  }

  #listed(stale: boolean, wanted: (secret: Secret) => boolean) {
    for (const at of [...this.#secrets.keys()]) this.#expire(at);
    const seen = new Map(this.#secrets);
    if (stale && this.#lastChanged !== undefined) {
      const before = this.#before.get(this.#lastChanged);
      if (before === undefined) seen.delete(this.#lastChanged);
      else seen.set(this.#lastChanged, before);
    }
    return [...seen]
      .filter(([, secret]) => wanted(secret))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, secret]) => [secret.name, currentOf(secret)] as const);
  }

  #live(name: string, stale = false): Secret | undefined {
    const secret = this.#secret(name, stale);
    return secret?.deleted === undefined ? secret : undefined;
  }

  #secret(name: string, stale = false): Secret | undefined {
    const at = key(name);
    this.#expire(at);
    return stale && this.#before.has(at) ? this.#before.get(at) : this.#secrets.get(at);
  }

  /** Nothing ticks: a secret past its day goes when somebody looks. */
  #expire(at: string): void {
    const purgeAt = this.#secrets.get(at)?.deleted?.purgeAt;
    if (purgeAt !== undefined && purgeAt <= this.#now()) this.#erase(at);
  }

  #erase(at: string): void {
    const ids = [...(this.#secrets.get(at)?.versions.keys() ?? [])];
    this.#table.write([at, undefined], ...ids.map((id) => [`${at}/${id}`, undefined] as const));
    this.#note(at, undefined);
  }

  #change(name: string, secret: Secret, written: readonly SecretVersion[] = []): void {
    const at = key(name);
    const { versions: _, ...state } = secret;
    this.#table.write([at, state], ...written.map((one) => [`${at}/${one.id}`, one] as const));
    this.#note(at, secret);
  }

  #note(at: string, secret: Secret | undefined): void {
    this.#before.set(at, this.#secrets.get(at));
    this.#lastChanged = at;
    if (secret === undefined) this.#secrets.delete(at);
    else this.#secrets.set(at, secret);
  }

  #now(): number {
    return Math.floor(this.clock() / 1000);
  }
}

function key(name: string): string {
  return name.toLowerCase();
}

function withVersion(secret: Secret, version: SecretVersion, current: string): Secret {
  return { ...secret, current, versions: new Map(secret.versions).set(version.id, version) };
}

function currentOf({ versions, current }: Secret): SecretVersion {
  const version = versions.get(current);
  if (version === undefined) throw new Error(`The vault lost version ${current}.`);
  return version;
}

function assemble(table: Table<VaultRecord>): Map<string, Secret> {
  const versions = new Map<string, Map<string, SecretVersion>>();
  for (const [at, record] of table.entries()) {
    const [name = ''] = at.split('/');
    const known = versions.get(name) ?? new Map<string, SecretVersion>();
    if ('value' in record) known.set(record.id, record);
    versions.set(name, known);
  }
  const secrets = new Map<string, Secret>();
  for (const [at, record] of table.entries()) {
    if (!('value' in record)) secrets.set(at, { ...record, versions: versions.get(at) ?? new Map() });
  }
  return secrets;
}
