import { randomBytes, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Account } from '../cognitive-services/accounts.js';
import type { LedgerEntry } from '../cognitive-services/ledger.js';
import type { Application } from '../entra/directory.js';
import { SigningKey } from '../entra/signing-key.js';
import type { VaultRecord } from '../key-vault/vault.js';
import { certificates, type Certificates } from './certificates.js';
import { holdFolder } from './folder.js';
import { FileTable } from './persist.js';

/** Everything that a data folder keeps, opened and held for this process. */
export interface State {
  readonly certificates: Certificates;
  readonly keys: { readonly tenant: SigningKey; readonly workload: SigningKey };
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly exchangeSecret: Buffer;
  readonly serviceBusKey: string;
  readonly ports: FileTable<number>;
  readonly applications: FileTable<Application>;
  readonly accounts: FileTable<Account>;
  readonly groups: FileTable<string>;
  readonly ledger: FileTable<LedgerEntry>;
  vault(name: string): FileTable<VaultRecord>;
  close(): void;
}

/** Throws when another process holds the folder, or when a file in it is damaged. */
export async function openState(dataDir: string): Promise<State> {
  const folder = resolve(dataDir); // the path of the authority's file is handed to other processes
  const release = holdFolder(folder);
  const open: FileTable<unknown>[] = [];
  const close = () => {
    for (const each of open) each.close();
    release();
  };
  const table = <V>(name: string): FileTable<V> => {
    const opened = new FileTable<V>(join(folder, `${name}.jsonl`));
    open.push(opened as FileTable<unknown>);
    return opened;
  };
  try {
    const identity = table<string>('identity');
    const once = (name: string, make: () => string): string => {
      const value = identity.get(name) ?? make();
      if (identity.get(name) === undefined) identity.write([name, value]);
      return value;
    };
    const [made, tenant, workload] = await Promise.all([
      certificates(folder),
      SigningKey.open(join(folder, 'tenant.jwk.json')),
      SigningKey.open(join(folder, 'workload.jwk.json')),
    ]);
    return {
      certificates: made,
      keys: { tenant, workload },
      tenantId: once('tenant', randomUUID),
      subscriptionId: once('subscription', randomUUID),
      exchangeSecret: Buffer.from(
        once('exchange-secret', () => randomBytes(32).toString('hex')),
        'hex',
      ),
      serviceBusKey: once('service-bus-key', () => randomBytes(32).toString('base64')),
      ports: table('ports'),
      applications: table('applications'),
      accounts: table('accounts'),
      groups: table('groups'),
      ledger: table('ledger'),
      vault: (name) => table(`vault-${name}`),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
