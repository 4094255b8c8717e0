import type { SecretPlace } from './secrets.js';
import { statusOf, vaultFault } from './faults.js';
import { readWithin } from './read-within.js';
import { VaultClients, type VaultClientsOptions } from './vault-clients.js';

const DEADLINE_MS = 30_000;
/** Long and odd enough that nobody has it; of a secret that is there, `mayRead` would be shown the value. */
const NOBODYS = 'twinkey-doctor-asks-for-a-secret-that-nobody-has';

/** Looks at a vault without being shown a secret. Each method rejects with the faults of `SecretShelf.current`. */
export interface VaultLook {
  /** Resolves when the identity may see which secrets there are. */
  mayList(): Promise<void>;
  /** Resolves when the identity may read secrets. */
  mayRead(): Promise<void>;
  /** Whether the secret has a version. */
  has(name: string): Promise<boolean>;
}

/** Opens nothing yet. */
export function lookAtVault(vaultUrl: SecretPlace['vaultUrl'], options: VaultClientsOptions): VaultLook {
  const client = new VaultClients(options).reading(vaultUrl);
  const ask = <Answer>(call: (signal: AbortSignal) => Promise<Answer>) =>
    readWithin(DEADLINE_MS, call, vaultFault);
  return {
    mayList: async () => {
      await ask(() => client.listPropertiesOfSecrets().byPage({ maxPageSize: 1 }).next());
    },
    mayRead: () =>
      ask(async (abortSignal) => {
        try {
          await client.getSecret(NOBODYS, { abortSignal });
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
        }
      }),
    has: async (name) => {
      const pages = client.listPropertiesOfSecretVersions(name).byPage({ maxPageSize: 1 });
      const page = await ask(() => pages.next());
      return page.done !== true && page.value.length > 0;
    },
  };
}
