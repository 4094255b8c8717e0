// Which Key Vault secret is an account's own.
import { accountName, type AccountId, type SecretReference } from '@twinkey/contracts';

/** The account's name, with what Key Vault does not take in a name turned into dashes. */
export function secretNameOf(account: AccountId): string {
  return accountName(account)
    .replace(/[^0-9a-zA-Z-]/g, '-')
    .slice(0, 127);
}

export interface SharedSecret {
  readonly secret: SecretReference;
  readonly accounts: readonly AccountId[];
}

/**
 * Secrets that more than one account would write. Two accounts in one secret overwrite each other's key, and
 * every consumer of one of them is cut off: none of them may be declared.
 */
export function sharedSecrets(
  claims: Iterable<{ readonly account: AccountId; readonly secret: SecretReference }>,
): readonly SharedSecret[] {
  const bySecret = new Map<string, { secret: SecretReference; accounts: Set<AccountId> }>();
  for (const { account, secret } of claims) {
    // Key Vault ignores case in vault and secret names, and a trailing slash means nothing.
    const name = `${secret.vaultUrl.replace(/\/+$/, '')}/${secret.name}`.toLowerCase();
    const found = bySecret.get(name) ?? { secret, accounts: new Set() };
    found.accounts.add(account);
    bySecret.set(name, found);
  }
  return [...bySecret.values()]
    .filter(({ accounts }) => accounts.size > 1)
    .map(({ secret, accounts }) => ({ secret, accounts: [...accounts] }));
}
