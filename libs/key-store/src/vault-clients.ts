import type { TokenCredential } from '@azure/core-auth';
import { SecretClient } from '@azure/keyvault-secrets';
import { PermanentFault } from '@twinkey/contracts';
import { outsideAttempts, sendGate } from './effect.js';
import { isAbort, statusOf } from './faults.js';
import type { ClientOptions } from './log.js';

export interface VaultClientsOptions {
  readonly credential: TokenCredential;
  /** Accept a vault whose host does not end like the audience of its tokens; only for vaults of one's own machine or cluster. */
  readonly disableChallengeCheck: boolean;
  readonly clientOptions?: ClientOptions;
}

interface Vault {
  /** Reads and idempotent changes; the SDK may ask again. */
  readonly reading: SecretClient;
  /** Sends each request once, through the gate. */
  readonly once: SecretClient;
  warm: Promise<void> | undefined;
}

/** One pair of clients per vault. */
export class VaultClients {
  readonly #options: VaultClientsOptions;
  readonly #vaults = new Map<string, Vault>();

  constructor(options: VaultClientsOptions) {
    this.#options = options;
  }

  reading(vaultUrl: string): SecretClient {
    return this.#of(vaultUrl).reading;
  }

  /**
   * The client for writes, warmed up. While a fresh client learns the vault's challenge, concurrent first writes
   * lose their bodies (26 of 120 in a measurement, 0 after one read), so nobody gets it before a read was answered.
   */
  async once(vaultUrl: string): Promise<SecretClient> {
    const vault = this.#of(vaultUrl);
    vault.warm ??= outsideAttempts(() => warmUp(vault.once));
    try {
      await vault.warm;
    } catch (error) {
      vault.warm = undefined;
      throw error;
    }
    return vault.once;
  }

  #of(vaultUrl: string): Vault {
    const known = this.#vaults.get(vaultUrl);
    if (known !== undefined) return known;
    const { credential, disableChallengeCheck, clientOptions } = this.#options;
    if (disableChallengeCheck) refuseForeign(vaultUrl);
    const common = { disableChallengeResourceVerification: disableChallengeCheck, ...clientOptions };
    const vault: Vault = {
      reading: new SecretClient(vaultUrl, credential, common),
      once: new SecretClient(vaultUrl, credential, {
        ...common,
        // With its default the SDK sends a lost setSecret again, and so creates two versions.
        retryOptions: { maxRetries: 0 },
        additionalPolicies: [{ policy: sendGate, position: 'perRetry' }],
      }),
      warm: undefined,
    };
    this.#vaults.set(vaultUrl, vault);
    return vault;
  }
}

/** Any answer from behind the challenge will do: an identity confined to one secret may not list (403). */
async function warmUp(client: SecretClient): Promise<void> {
  try {
    await client.listPropertiesOfSecrets().byPage({ maxPageSize: 1 }).next();
  } catch (error) {
    const status = statusOf(error);
    if (isAbort(error) || status === undefined || status === 401 || status >= 500) throw error;
  }
}

function refuseForeign(vaultUrl: string): void {
  const host = new URL(vaultUrl).hostname;
  if (isOwn(host)) return;
  throw new PermanentFault(
    'secret-unusable',
    `vaultUrl: with the challenge check disabled only vaults of this machine or cluster are allowed, not ${host}`,
    { remedy: 'Set TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK=false.' },
  );
}

/** Loopback, a bare service name of a compose network, or a Kubernetes service. */
function isOwn(host: string): boolean {
  return (
    /^(127(\.\d{1,3}){3}|\[::1\]|[a-z0-9-]+)$/i.test(host) ||
    /\.(localhost|svc|svc\.cluster\.local)$/i.test(host)
  );
}
