import type { TokenCredential } from '@azure/core-auth';
import { SecretClient } from '@azure/keyvault-secrets';
import {
  type AccountId,
  accountName,
  generation,
  PermanentFault,
  type SecretReference,
  TransientFault,
} from '@twinkey/contracts';
import type { Version } from './follow.js';
import type { ConnectOptions } from './settings.js';

/** A version as it was read, with its key when it is a publication of ours. */
export type ReadVersion =
  | (Extract<Version, { kind: 'published' }> & {
      readonly key: string;
      /** What people may know the key by. */
      readonly fingerprint?: string | undefined;
    })
  | Exclude<Version, { kind: 'published' }>;

/** Key Vault as an instance sees it. Fails with a TransientFault or a PermanentFault. */
export interface Vault {
  read(account: AccountId, secret: SecretReference): Promise<ReadVersion>;
}

const READ_WITHIN_MS = 10_000;

export function vaultReader(
  credential: TokenCredential,
  {
    disableChallengeCheck,
    clientOptions,
  }: { disableChallengeCheck: boolean; clientOptions: ConnectOptions['clientOptions'] },
): Vault {
  const clients = new Map<string, SecretClient>();
  const clientOf = (vaultUrl: string): SecretClient => {
    const known = clients.get(vaultUrl);
    if (known !== undefined) return known;
    if (disableChallengeCheck) refuseForeign(vaultUrl);
    const made = new SecretClient(vaultUrl, credential, {
      disableChallengeResourceVerification: disableChallengeCheck,
      ...clientOptions,
    });
    clients.set(vaultUrl, made);
    return made;
  };
  return {
    async read(account, { vaultUrl, name }) {
      const client = clientOf(vaultUrl);
      try {
        // Always the current version: a reference's own version may be older than what is current by now.
        const { value, properties } = await client.getSecret(name, {
          abortSignal: AbortSignal.timeout(READ_WITHIN_MS),
        });
        return versionOf(account, value, properties.tags);
      } catch (error) {
        return whyUnreadable(error, name);
      }
    },
  };
}

function versionOf(
  account: AccountId,
  key: string | undefined,
  tags: Readonly<Record<string, string>> | undefined,
): ReadVersion {
  const number = tags?.['twinkey-generation'] ?? '';
  const owner = tags?.['twinkey-account'];
  const ours = owner === account || owner === accountName(account);
  if (!key || !ours || !/^[1-9][0-9]{0,14}$/.test(number)) return { kind: 'foreign' };
  const fingerprint = tags?.['twinkey-fingerprint'];
  return {
    kind: 'published',
    generation: generation(Number(number)),
    key,
    ...(/^[0-9a-f]{32}$/.test(fingerprint ?? '') ? { fingerprint } : {}),
  };
}

function whyUnreadable(error: unknown, name: string): ReadVersion {
  const status = property(error, 'statusCode');
  if (status === 404) return { kind: 'unreadable', why: 'missing' };
  const inner = property(property(property(error, 'details'), 'error'), 'innerError');
  if (status === 403 && property(inner, 'code') === 'SecretDisabled')
    return { kind: 'unreadable', why: 'disabled' };
  const message = `Key Vault, secret ${name}: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`;
  if (status === 403) {
    throw new PermanentFault('access-refused', message, {
      remedy: 'Grant this identity the role Key Vault Secrets User on the secret.',
    });
  }
  throw new TransientFault('vault-unreachable', message);
}

function refuseForeign(vaultUrl: string): void {
  const { hostname } = new URL(vaultUrl);
  const own =
    /^(127(\.\d{1,3}){3}|\[::1\]|[a-z0-9-]+)$/i.test(hostname) ||
    /\.(localhost|svc|svc\.cluster\.local)$/i.test(hostname);
  if (own) return;
  throw new PermanentFault(
    'secret-unusable',
    `vaultUrl: with the challenge check disabled only vaults of this machine or cluster are allowed, not ${hostname}`,
    { remedy: 'Set TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK=false.' },
  );
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
