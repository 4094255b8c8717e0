import type { KeyVaultSecret, SecretProperties } from '@azure/keyvault-secrets';
import type { SecretReference } from '@twinkey/contracts';
import { PermanentFault } from '@twinkey/contracts';
import { attemptOnce, type CallBudget, type Effect } from './effect.js';
import { codesOf, statusOf, vaultFault } from './faults.js';
import type { KeyStoreLog } from './log.js';
import { type PublicationTags, readTags, writeTags } from './publication-tags.js';
import { readWithin } from './read-within.js';
import { SecretText } from './secret-text.js';
import { VaultClients, type VaultClientsOptions } from './vault-clients.js';

export interface SecretShelfOptions extends VaultClientsOptions {
  readonly log?: KeyStoreLog;
}

/** Where a secret lives; its version, if named, is ignored: the current one is meant. */
export type SecretPlace = Pick<SecretReference, 'vaultUrl' | 'name'>;

export interface CurrentSecret {
  readonly version: string;
  readonly value: SecretText;
  /** `null`: this version was not published by twinkey. */
  readonly tags: PublicationTags | null;
  readonly expiresOn?: Date;
}

const HOUSEKEEPING_DEADLINE_MS = 30_000;

/** The secrets in which accounts' keys are published. */
export class SecretShelf {
  readonly #vaults: VaultClients;
  readonly #log: KeyStoreLog | undefined;

  constructor(options: SecretShelfOptions) {
    this.#vaults = new VaultClients(options);
    this.#log = options.log;
  }

  /**
   * The current version, or why there is none to read. Throws PermanentFault `access-refused`, `secret-unusable`,
   * TransientFault otherwise.
   */
  async current(
    { vaultUrl, name }: SecretPlace,
    { deadlineMs }: { deadlineMs: number },
  ): Promise<CurrentSecret | 'missing' | 'deleted' | 'disabled'> {
    return readWithin(
      deadlineMs,
      async (abortSignal) => {
        const client = this.#vaults.reading(vaultUrl);
        try {
          return currentOf(await client.getSecret(name, { abortSignal }));
        } catch (error) {
          if (codesOf(error).includes('SecretDisabled')) return 'disabled';
          if (statusOf(error) !== 404) throw error;
        }
        // A deleted secret and one that never was answer the same; only the bin tells them apart.
        try {
          await client.getDeletedSecret(name, { abortSignal });
          return 'deleted';
        } catch (error) {
          const status = statusOf(error);
          if (status === 404 || status === 403) return 'missing';
          throw error;
        }
      },
      vaultFault,
    );
  }

  /**
   * Makes `value` the current version, in exactly one request. Two writes of one secret at a time are refused by
   * the vault (`vault-conflict`); the account's lease keeps that from happening.
   */
  async publish(
    { vaultUrl, name }: SecretPlace,
    { value, tags, expiresOn }: { value: SecretText; tags: PublicationTags; expiresOn?: Date },
    budget: CallBudget,
  ): Promise<Effect<{ version: string }>> {
    const effect = await attemptOnce(
      budget,
      async (abortSignal) => {
        const client = await this.#vaults.once(vaultUrl);
        return client.setSecret(name, value.reveal(), {
          contentType: 'text/plain',
          tags: writeTags(tags),
          ...(expiresOn === undefined ? {} : { expiresOn }),
          abortSignal,
        });
      },
      vaultFault,
    );
    if (effect.outcome !== 'done') return effect;
    const { version } = effect.value.properties;
    if (version === undefined) return { outcome: 'in-doubt', message: 'the answer does not name a version' };
    return { outcome: 'done', value: { version } };
  }

  /**
   * Disables the versions of ours that are older than `keepVersion`; answers how many. Strangers' versions and
   * everything newer stay as they are. Repeating it is harmless. Throws faults.
   */
  async disableSuperseded(
    { vaultUrl, name }: SecretPlace,
    { keepVersion }: { keepVersion: string },
  ): Promise<number> {
    const client = this.#vaults.reading(vaultUrl);
    const versions: SecretProperties[] = [];
    const pages = client.listPropertiesOfSecretVersions(name).byPage();
    for (;;) {
      const page = await readWithin(HOUSEKEEPING_DEADLINE_MS, () => pages.next(), vaultFault);
      if (page.done === true) break;
      versions.push(...page.value);
    }
    const kept = readTags(versions.find(({ version }) => version === keepVersion)?.tags);
    if (kept === null) {
      this.#log?.warn({ secret: name, keepVersion }, 'nothing is disabled: the version to keep is not ours');
      return 0;
    }
    let disabled = 0;
    for (const { version, enabled, tags } of versions) {
      const ours = readTags(tags);
      if (version === undefined || enabled === false || ours === null) continue;
      if (ours.generation >= kept.generation || ours.account !== kept.account) continue;
      await readWithin(
        HOUSEKEEPING_DEADLINE_MS,
        (abortSignal) => client.updateSecretProperties(name, version, { enabled: false, abortSignal }),
        vaultFault,
      );
      disabled += 1;
    }
    return disabled;
  }
}

function currentOf({ value, properties }: KeyVaultSecret): CurrentSecret {
  const { version, tags, expiresOn } = properties;
  if (value === undefined || version === undefined) {
    throw new PermanentFault('unexpected-answer', 'Key Vault: the answer holds no value or no version');
  }
  return {
    version,
    value: new SecretText(value),
    tags: readTags(tags),
    ...(expiresOn === undefined ? {} : { expiresOn }),
  };
}
