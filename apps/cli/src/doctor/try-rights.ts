// Tries every right of the services at every thing that they need it for.
import { accountName, PermanentFault, ROLES, type RoleGrant } from '@twinkey/contracts';
import { lacking } from '@twinkey/key-store';
import { settingOf } from '@twinkey/settings';
import type { Ground, UnderCare } from './examine.js';
import type { Finding } from './finding.js';
import { firstLabel } from './mend.js';
import type { Probes } from './probes.js';
import { granted, refused, rightsOf, sayRight, type Circumstances, type Right } from './rights.js';
import { isGiven } from './settings.js';

/** One line for each right at each thing, in the order of the table. */
export async function rightFindings(
  ground: Ground,
  accounts: readonly UnderCare[],
): Promise<readonly Finding[]> {
  const shards = Number(settingOf(ground.environment, 'TWINKEY_KEY_CHANGED_SHARDS'));
  const discovery = ground.care?.discovery !== undefined;
  const rights = ground.services.flatMap((service) => rightsOf(service, { shards, discovery }));
  const found = await Promise.all(rights.map((right) => findingsOf(right, ground, accounts)));
  return found.flat();
}

function findingsOf(
  right: Right,
  ground: Ground,
  accounts: readonly UnderCare[],
): Promise<readonly Finding[]> {
  const { who, names, probes, care, environment } = ground;
  const { at } = right.grant;
  const isOpenedByKey = isGiven(environment, 'SERVICEBUS_CONNECTION_STRING');
  if (at === 'account') {
    if (who === undefined) return Promise.resolve([withoutIdentity(right)]);
    if (accounts.length === 0) return Promise.resolve([nothing(right, 'no account is named')]);
    return Promise.all(
      accounts.map(({ id }) =>
        tryAt(right, { who, names: { ...names, account: id }, thing: accountName(id) }, () =>
          tryAccount(right.grant, id, probes),
        ),
      ),
    );
  }
  if (at === 'vault' || at === 'secret') {
    if (who === undefined) return Promise.resolve([withoutIdentity(right)]);
    const vaults = [...new Set(accounts.flatMap(({ vaultUrl = [] }) => vaultUrl))];
    const fallback = settingOf(environment, 'TWINKEY_KEY_VAULT_URL')?.replace(/\/+$/, '');
    if (vaults.length === 0 && fallback !== undefined) vaults.push(fallback);
    if (vaults.length === 0) return Promise.resolve([nothing(right, 'no vault is named')]);
    return Promise.all(
      vaults.map((url) => {
        const vault = firstLabel(url);
        return tryAt(right, { who, names: { ...names, vault }, thing: vault }, () => tryVault(url, probes));
      }),
    );
  }
  if (at === 'azure-subscription') {
    if (who === undefined) return Promise.resolve([withoutIdentity(right)]);
    return Promise.all(
      (care?.discovery?.subscriptions ?? []).map((subscription) =>
        tryAt(right, { who, names: { ...names, subscription }, thing: subscription }, async () => {
          await probes.accounts(subscription);
          return undefined;
        }),
      ),
    );
  }
  if (who === undefined && !isOpenedByKey) return Promise.resolve([withoutIdentity(right)]);
  const circumstances: Circumstances = { who: isOpenedByKey ? undefined : who, names };
  return tryAt(right, circumstances, async () => {
    await tryEntity(right.grant, probes);
    return isOpenedByKey ? 'by connection string' : undefined;
  }).then((finding) => [finding]);
}

/** What is tried may answer with a note. */
async function tryAt(
  right: Right,
  circumstances: Circumstances,
  attempt: () => Promise<string | undefined>,
): Promise<Finding> {
  try {
    return granted(right, circumstances, await attempt());
  } catch (fault) {
    return refused(right, fault, circumstances);
  }
}

async function tryEntity({ role, at, name = '' }: RoleGrant, { bus }: Probes): Promise<void> {
  const [topic = '', subscription = ''] = name.split('/');
  if (role in ROLES.custom) return bus.subscriptions(name);
  if (at === 'subscription') return bus.receive({ topic, subscription });
  return role.endsWith('Sender') ? bus.send(name) : bus.receive({ queue: name });
}

async function tryVault(url: string, probes: Probes): Promise<string> {
  const vault = probes.vault(url);
  await vault.mayList();
  await vault.mayRead();
  return 'lists and reads; writing is not tried';
}

/** Reading is tried; of what cannot be tried, Resource Manager is asked. */
async function tryAccount(
  { role }: RoleGrant,
  id: UnderCare['id'],
  probes: Probes,
): Promise<string | undefined> {
  const found = await probes.account(id);
  if (found.disableLocalAuth) throw keysAreOff(id);
  const { actions = [], dataActions = [] } = ROLES.custom[role] ?? {};
  const more = actions.filter((action) => !action.endsWith('/read'));
  if (more.length === 0) return undefined;
  const permissions = await probes.permissions(id);
  const verbs = more.map((action) => action.split('/').at(-2)).join(' and ');
  if (permissions === 'unknown') return `reads; ${verbs} cannot be asked for by this identity`;
  const missing = lacking(permissions, { actions: more, dataActions });
  if (missing.length > 0) throw new PermanentFault('access-refused', `lacks ${missing.join(', ')}`);
  return `reads; ${verbs} are permitted`;
}

function keysAreOff(id: string): PermanentFault {
  return new PermanentFault('local-auth-disabled', 'the account accepts no keys (disableLocalAuth)', {
    remedy: `az resource update --ids ${id} --set properties.disableLocalAuth=false   # or take it out of twinkey.yaml`,
  });
}

function withoutIdentity(right: Right): Finding {
  return nothing(right, 'there is no identity to try it with');
}

function nothing(right: Right, detail: string): Finding {
  return { about: right.service, check: sayRight(right), outcome: 'skipped', detail };
}
