import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Account } from '../resource-manager/state.js';
import type { LedgerEntry } from '../ai-services/state.js';
import type { Application } from '../entra/state.js';
import { SigningKey, type SigningKeys } from '../entra/signing-key.js';
import type { VaultRecord } from '../key-vault/state.js';
import { certificates, type Certificates } from './certificates.js';
import { holdFolder } from './folder.js';
import type { Log } from './plugin.js';
import { FileTable, type Table } from './persist.js';
import { WriteBehind } from './write-behind.js';

/** Everything that a data folder keeps, opened and held for this process. */
export interface State {
  readonly certificates: Certificates;
  readonly keys: SigningKeys;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly exchangeSecret: Buffer;
  readonly serviceBusKey: string;
  readonly ports: FileTable<number>;
  readonly applications: FileTable<Application>;
  readonly accounts: FileTable<Account>;
  readonly groups: FileTable<string>;
  readonly ledger: Table<LedgerEntry>;
  /** What the files hold now, read again if it was open. */
  vault(name: string): FileTable<VaultRecord>;
  /** Reads again what the services on the shared origin keep. */
  reread(): void;
  /** New keys in place of those that sign tokens: every token out there is worthless. */
  forgetSigningKeys(): Promise<void>;
  close(): void;
}

/** Throws when another process holds the folder, or when a file in it is damaged. */
export async function openState(dataDir: string, log: Log): Promise<State> {
  const folder = resolve(dataDir); // the path of the authority's file is handed to other processes
  const release = holdFolder(folder);
  const open: { close(): void }[] = [];
  const close = () => {
    for (const each of open) each.close();
    release();
  };
  const table = <V>(name: string): FileTable<V> => {
    const opened = new FileTable<V>(join(folder, `${name}.jsonl`));
    open.push(opened);
    return opened;
  };
  try {
    const identity = table<string>('identity');
    const once = (name: string, make: () => string): string => {
      const value = identity.get(name) ?? make();
      if (identity.get(name) === undefined) identity.write([name, value]);
      return value;
    };
    const [made, keys] = await Promise.all([certificates(folder), openKeys(folder)]);
    const ledgerFile = new FileTable<LedgerEntry>(join(folder, 'ledger.jsonl'));
    const ledger = new WriteBehind(ledgerFile, (error) => {
      log.warn(`The ledger could not be kept: ${String(error)}`);
    });
    open.push(ledger);
    const applications = table<Application>('applications');
    const accounts = table<Account>('accounts');
    const groups = table<string>('groups');
    const vaults = new Map<string, FileTable<VaultRecord>>();
    return {
      certificates: made,
      keys,
      tenantId: once('tenant', randomUUID),
      subscriptionId: once('subscription', randomUUID),
      exchangeSecret: Buffer.from(
        once('exchange-secret', () => randomBytes(32).toString('hex')),
        'hex',
      ),
      serviceBusKey: once('service-bus-key', () => randomBytes(32).toString('base64')),
      ports: table('ports'),
      applications,
      accounts,
      groups,
      ledger,
      vault: (name) => {
        const known = vaults.get(name) ?? table<VaultRecord>(`vault-${name}`);
        if (vaults.has(name)) known.reread();
        vaults.set(name, known);
        return known;
      },
      reread: () => {
        for (const each of [applications, accounts, groups, ledger]) each.reread();
      },
      forgetSigningKeys: () => keys.forget(),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** The signing keys in their files; whoever holds this sees new ones when the old are forgotten. */
async function openKeys(folder: string): Promise<SigningKeys & { forget(): Promise<void> }> {
  const [tenantFile, workloadFile] = ['tenant.jwk.json', 'workload.jwk.json'].map((name) =>
    join(folder, name),
  ) as [string, string];
  let tenant = await SigningKey.open(tenantFile);
  let workload: Promise<SigningKey> | undefined;
  return {
    get tenant() {
      return tenant;
    },
    workload: () => (workload ??= SigningKey.open(workloadFile)),
    forget: async () => {
      for (const file of [tenantFile, workloadFile]) rmSync(file, { force: true });
      tenant = await SigningKey.open(tenantFile);
      workload = undefined;
    },
  };
}
