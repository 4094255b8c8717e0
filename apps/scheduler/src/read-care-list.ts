// `twinkey.yaml` → CareList, or every fault in it at once.
import { readPolicy, secretNameOf, sharedSecrets } from '@twinkey/account';
import type { AccountId } from '@twinkey/contracts';
import { LineCounter, parseDocument, type Document } from 'yaml';
import type { CareList, Discovery, Entry, Policy, SecretPlace } from './care-list.js';
import { faultsOf, spell, type FileFault, type Path } from './file-faults.js';
import { CareFile } from './file-schema.js';
import { readConsumers } from './read-consumers.js';

/** What the environment adds to the file. */
export interface Defaults {
  readonly keyVaultUrl?: string | undefined;
  readonly subscriptionId?: string | undefined;
}

export type ReadCareList =
  | { readonly ok: true; readonly list: CareList }
  /** Each `line 12: accounts[0].policy: rule; remedy.` */
  | { readonly ok: false; readonly faults: readonly string[] };

export function readCareList(text: string, defaults: Defaults): ReadCareList {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    return {
      ok: false,
      faults: document.errors.map(
        ({ pos, message }) => `line ${lines.linePos(pos[0]).line}: is no YAML: ${message}; correct it.`,
      ),
    };
  }
  const say = (faults: readonly FileFault[]): ReadCareList => ({
    ok: false,
    faults: faults
      .map((fault) => ({ ...fault, line: lineOf(document, lines, fault.path) }))
      .sort((one, other) => one.line - other.line)
      .map(({ path, rule, remedy, line }) => `line ${line}: ${spell(path)}: ${rule}; ${remedy}.`),
  });
  const parsed = CareFile.safeParse(document.toJS() ?? {}, { reportInput: true });
  if (!parsed.success) return say(faultsOf(parsed.error));
  const reading = new Reading(parsed.data, defaults);
  const list = reading.list();
  return reading.faults.length > 0 ? say(reading.faults) : { ok: true, list };
}

/** The line of the place, or of the nearest place around it that is written. What is missing at the top is said of line 1. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return lines.linePos(Number(node.range[0])).line;
    }
  }
  return 1;
}

/** One pass over a file of the right shape; collects the faults that concern more than one field. */
class Reading {
  readonly faults: FileFault[] = [];
  readonly #policies = new Map<string, Policy>();

  constructor(
    private readonly file: CareFile,
    private readonly defaults: Defaults,
  ) {}

  list(): CareList {
    for (const [name, written] of Object.entries(this.file.policies)) {
      const read = readPolicy(name, written);
      if (read.ok) this.#policies.set(name, read);
      else
        this.faults.push(
          ...read.faults.map(({ field, rule, remedy }) => ({
            path: ['policies', name, ...field.split('.')],
            rule,
            remedy,
          })),
        );
    }
    const discovery = this.#discovery();
    const entries = this.file.accounts.flatMap((entry, index) => this.#entry(entry, index, discovery));
    this.#noTwoAlike(entries.map(({ entry, path }) => ({ ...entry, path })));
    const { consumers, faults } = readConsumers(this.file.consumers);
    this.faults.push(...faults);
    const { onlyDeclaredConsumers } = this.file;
    return { entries: entries.map(({ entry }) => entry), discovery, consumers, onlyDeclaredConsumers };
  }

  #entry(
    { id, name, policy: policyName, secret = {} }: CareFile['accounts'][number],
    index: number,
    discovery: Discovery | null,
  ): { entry: Entry; path: Path }[] {
    const path = ['accounts', index];
    if ((id === undefined) === (name === undefined)) {
      this.#fault(path, 'must have either id or name', 'name the account by exactly one of them');
    }
    if (name !== undefined && discovery === null) {
      this.#fault(
        [...path, 'name'],
        'needs discovery: an account is found by its name only among those of a subscription',
        'write the id of the account, or add discovery with its subscription',
      );
    }
    const policy = this.#policy([...path, 'policy'], policyName);
    const vaultUrl = this.#vault([...path, 'secret', 'vault'], secret.vault);
    if (policy === null || vaultUrl === null) return [];
    const account = id === undefined ? { name: (name ?? '').toLowerCase() } : { id };
    return [{ path, entry: { account, policy, secret: { vaultUrl, name: secret.name } } }];
  }

  #discovery(): Discovery | null {
    const { discovery } = this.file;
    if (discovery === undefined) return null;
    const { tag } = discovery;
    const fallback = this.defaults.subscriptionId;
    const subscriptions = discovery.subscriptions ?? (fallback === undefined ? [] : [fallback]);
    if (subscriptions.length === 0) {
      this.#fault(['discovery', 'subscriptions'], 'is missing', 'add it, or set AZURE_SUBSCRIPTION_ID');
    }
    const ids = subscriptions.map((each) => each.toLowerCase());
    if (tag === undefined) return { subscriptions: ids, adopt: null };
    if (discovery.policy === undefined) {
      this.#fault(
        ['discovery', 'policy'],
        'is missing',
        'name the policy of accounts that are found by their tag',
      );
      return { subscriptions: ids, adopt: null };
    }
    const policy = this.#policy(['discovery', 'policy'], discovery.policy);
    const vaultUrl = this.#vault(['discovery'], undefined);
    if (policy === null || vaultUrl === null) return { subscriptions: ids, adopt: null };
    return { subscriptions: ids, adopt: { tag: tag.name, value: tag.value, policy, secret: { vaultUrl } } };
  }

  #policy(path: Path, name: string): Policy | null {
    if (!Object.hasOwn(this.file.policies, name)) {
      const known = Object.keys(this.file.policies).join(', ');
      this.#fault(
        path,
        `names no policy ("${name}")`,
        known ? `write one of ${known}` : 'add it to policies',
      );
    }
    return this.#policies.get(name) ?? null;
  }

  #vault(path: Path, written: string | undefined): string | null {
    const vault = written ?? this.defaults.keyVaultUrl;
    if (vault === undefined) {
      this.#fault(path, 'no vault is named', 'name it here, or set TWINKEY_KEY_VAULT_URL for all accounts');
      return null;
    }
    return vault.replace(/\/+$/, '');
  }

  #noTwoAlike(entries: readonly (Entry & { path: Path })[]): void {
    const seen = new Map<string, Path>();
    for (const { account, path } of entries) {
      const key = 'id' in account ? account.id : account.name;
      const earlier = seen.get(key);
      if (earlier) this.#fault(path, `names the same account as ${spell(earlier)}`, 'remove one of them');
      seen.set(key, path);
    }
    const claims = entries.flatMap(({ account, secret, path }) =>
      'id' in account ? [{ account: account.id, secret: secretOf(account.id, secret), path }] : [],
    );
    for (const { secret, accounts } of sharedSecrets(claims)) {
      const [first, ...others] = accounts.map(
        (each) => claims.find(({ account }) => account === each)?.path ?? [],
      );
      for (const path of others) {
        this.#fault(
          [...path, 'secret'],
          `is "${secret.name}" in ${secret.vaultUrl}, the secret of ${spell(first ?? [])} too`,
          'give each account a secret of its own',
        );
      }
    }
  }

  #fault(path: Path, rule: string, remedy: string): void {
    this.faults.push({ path, rule, remedy });
  }
}

export function secretOf(
  account: AccountId,
  { vaultUrl, name }: SecretPlace,
): { vaultUrl: string; name: string } {
  return { vaultUrl, name: name ?? secretNameOf(account) };
}
