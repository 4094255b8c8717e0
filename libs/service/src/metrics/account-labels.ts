import { accountName, accountParts, type AccountId } from '@twinkey/contracts';

/** What accounts are called in labels: by name, or by resource-group/name where several share one. */
export function accountLabels(accounts: readonly AccountId[]): ReadonlyMap<AccountId, string> {
  const times = new Map<string, number>();
  for (const account of accounts) {
    const name = accountName(account);
    times.set(name, (times.get(name) ?? 0) + 1);
  }
  return new Map(
    accounts.map((account) => {
      const { resourceGroup, name } = accountParts(account);
      return [account, times.get(name) === 1 ? name : `${resourceGroup}/${name}`];
    }),
  );
}
