import { randomBytes, randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import type { Account } from '../resource-manager/state.js';
import type { LedgerEntry } from '../ai-services/state.js';
import type { Application } from '../entra/state.js';
import { SigningKey, type SigningKeys } from '../entra/signing-key.js';
import type { VaultRecord } from '../key-vault/state.js';
import { certificates, type Certificates } from './certificates.js';
import { holdFolder } from './folder.js';
import { FileTable } from './persist.js';

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
  readonly ledger: FileTable<LedgerEntry>;
  vault(name: string): FileTable<VaultRecord>;
  close(): void;
}

/** Throws when another process holds the folder, or when a file in it is damaged. */
export async function openState(dataDir: string): Promise<State> {
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
    const [made, tenant] = await Promise.all([
      certificates(folder),
      SigningKey.open(join(folder, 'tenant.jwk.json')),
    ]);
    let workload: Promise<SigningKey> | undefined;
    return {
      certificates: made,
      keys: { tenant, workload: () => (workload ??= SigningKey.open(join(folder, 'workload.jwk.json'))) },
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
