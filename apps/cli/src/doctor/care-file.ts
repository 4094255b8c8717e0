// Which accounts twinkey.yaml names, and where their keys go. The scheduler judges the file as a whole when
// it reads it; here it is only asked for names.
import { AccountId, accountName, SecretReference } from '@twinkey/contracts';
import { parseDocument } from 'yaml';
import type { Finding } from './finding.js';

export interface Entry {
  /** An ARM id, or the name under which discovery finds it. */
  readonly account: { readonly id: AccountId } | { readonly name: string };
  /** Absent where no vault is named, here or in the environment. */
  readonly vaultUrl?: string;
  /** The secret's name; derived from the account's unless written. */
  readonly secret?: string;
}

export interface CareFile {
  readonly entries: readonly Entry[];
  /** Subscriptions in which accounts are looked for; absent where nothing is discovered. */
  readonly discovery?: {
    readonly subscriptions: readonly string[];
    readonly tag?: { readonly name: string; readonly value: string };
  };
}

export interface Defaults {
  readonly keyVaultUrl?: string | undefined;
  readonly subscriptionId?: string | undefined;
}

type Written = Readonly<Record<string, unknown>>;

/** What the text says, and what is wrong with it. */
export function readCareFile(
  text: string,
  defaults: Defaults,
): { readonly file: CareFile; readonly faults: readonly string[] } {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0)
    return { file: { entries: [] }, faults: document.errors.map(({ message }) => `is no YAML: ${message}`) };
  const whole = objectOf(document.toJS());
  const faults: string[] = [];
  if (whole['version'] !== 1) faults.push('version: must be 1');
  const accounts = Array.isArray(whole['accounts']) ? (whole['accounts'] as unknown[]) : [];
  const policies = Object.keys(objectOf(whole['policies']));
  const entries = accounts.map((each, index) => {
    const written = objectOf(each);
    const policy = textOf(written['policy']);
    if (policy === undefined || !policies.includes(policy))
      faults.push(`accounts[${index}].policy: names no policy (${policy ?? 'none is written'})`);
    return entryOf(written, index, defaults, faults);
  });
  const known = entries.flatMap((entry) => (entry === undefined ? [] : [entry]));
  faults.push(...sharedSecrets(known));
  const discovery = discoveryOf(whole['discovery'], defaults);
  return { file: { entries: known, ...(discovery === undefined ? {} : { discovery }) }, faults };
}

function entryOf(
  { id, name, secret }: Written,
  index: number,
  defaults: Defaults,
  faults: string[],
): Entry | undefined {
  const read = AccountId.safeParse(id);
  const called = textOf(name);
  if (!read.success && called === undefined) {
    faults.push(`accounts[${index}].id: must be the ARM id of a Cognitive Services account`);
    return undefined;
  }
  const place = objectOf(secret);
  const vaultUrl = (textOf(place['vault']) ?? defaults.keyVaultUrl)?.replace(/\/+$/, '');
  const secretName = textOf(place['name']);
  if (vaultUrl === undefined)
    faults.push(`accounts[${index}]: no vault is named, here or in TWINKEY_KEY_VAULT_URL`);
  else if (!URL.canParse(vaultUrl))
    faults.push(`accounts[${index}].secret.vault: must be the URL of a vault`);
  if (secretName !== undefined && !SecretReference.shape.name.safeParse(secretName).success)
    faults.push(
      `accounts[${index}].secret.name: must be 1 to 127 letters, digits and dashes; it is "${secretName}"`,
    );
  return {
    account: read.success ? { id: read.data } : { name: (called ?? '').toLowerCase() },
    ...(vaultUrl === undefined || !URL.canParse(vaultUrl) ? {} : { vaultUrl }),
    ...(secretName === undefined ? {} : { secret: secretName }),
  };
}

/** Two accounts in one secret would overwrite each other's key. */
function sharedSecrets(entries: readonly Entry[]): readonly string[] {
  const owners = new Map<string, string>();
  return entries.flatMap((entry) => {
    const name = nameOf(entry);
    const place = `${entry.vaultUrl ?? ''} ${secretNameOf(entry)}`.toLowerCase();
    const other = owners.get(place);
    owners.set(place, name);
    return other === undefined ? [] : [`${name} and ${other} name the same secret, ${secretNameOf(entry)}`];
  });
}

export function nameOf({ account }: Entry): string {
  return 'id' in account ? accountName(account.id) : account.name;
}

/** As the scheduler derives it: the account's name, with dashes for what a vault does not take. */
export function secretNameOf(entry: Entry): string {
  return (
    entry.secret ??
    nameOf(entry)
      .replace(/[^0-9a-zA-Z-]/g, '-')
      .slice(0, 127)
  );
}

function discoveryOf(written: unknown, { subscriptionId }: Defaults): CareFile['discovery'] {
  if (typeof written !== 'object' || written === null) return undefined;
  const { subscriptions, tag } = written as Written;
  const listed = Array.isArray(subscriptions) ? subscriptions.map(String) : [subscriptionId ?? []].flat();
  const { name, value } = objectOf(tag);
  const tagName = textOf(name);
  return {
    subscriptions: listed,
    ...(tagName === undefined ? {} : { tag: { name: tagName, value: textOf(value) ?? 'true' } }),
  };
}

/** How a file that cannot be read, or says what cannot be, is told. */
export function fileFinding(path: string, faults: readonly string[]): Finding {
  const check = `accounts file ${path}`;
  if (faults.length === 0) return { about: 'scheduler', check, outcome: 'ok' };
  return {
    about: 'scheduler',
    check,
    outcome: 'failed',
    detail: faults.join('; '),
    mend: `\${EDITOR:-vi} ${path}   # twinkey init writes one to begin with`,
  };
}

function objectOf(value: unknown): Written {
  return typeof value === 'object' && value !== null ? (value as Written) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
