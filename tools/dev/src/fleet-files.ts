// The two files that describe the sample fleet: to the embedded Azure (which accounts exist) and to twinkey
// (which accounts to care for, and how).
import { writeFileSync } from 'node:fs';
import yaml from 'yaml';
import { SAMPLE_ACCOUNTS, SAMPLE_POLICIES, type SampleAccount } from './sample-fleet.js';

export function writeAzureFleet(file: string, accounts: readonly SampleAccount[] = SAMPLE_ACCOUNTS): void {
  writeFileSync(
    file,
    JSON.stringify({ accounts: accounts.map(({ policy: _policy, ...rest }) => rest) }, null, 2),
  );
}

export function accountIdOf({ name, resourceGroup }: SampleAccount, subscription: string): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.CognitiveServices/accounts/${name}`;
}

export type Policies = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function writeTwinkeyFile(
  file: string,
  subscription: string,
  {
    accounts = SAMPLE_ACCOUNTS,
    policies = SAMPLE_POLICIES,
  }: { accounts?: readonly SampleAccount[]; policies?: Policies } = {},
): void {
  const care = {
    version: 1,
    policies,
    accounts: accounts.map((account) => ({ id: accountIdOf(account, subscription), policy: account.policy })),
  };
  writeFileSync(file, yaml.stringify(care, { aliasDuplicateObjects: false }));
}
