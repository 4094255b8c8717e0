import type { Incoming, Operation } from '../host/plugin.js';
import type { ApiFamily } from './api-versions.js';
import type { RequestKind } from './buckets.js';

/** What a permission is asked on. `anyone`: whoever has a token; `filtered`: the answer shows what one may see. */
type Reach = 'anyone' | 'filtered' | 'subscription' | 'group' | 'account';

interface Route {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly family: ApiFamily;
  readonly kind: RequestKind;
  readonly reach: Reach;
  /** What Azure calls the permission; empty when it asks for none. */
  readonly action: string;
}

const cognitive = 'Microsoft.CognitiveServices';
const resources = 'Microsoft.Resources/subscriptions';
const subscription = '/subscriptions/{subscription}';
const group = `${subscription}/resourceGroups/{group}`;
const provider = `${subscription}/providers/${cognitive}`;
const accounts = `${group}/providers/${cognitive}/accounts`;
const account = `${accounts}/{account}`;
const deleted = `${provider}/locations/{location}/resourceGroups/{group}/deletedAccounts/{account}`;

function route<N extends string>(
  name: N,
  request: `${string} /${string}`,
  family: ApiFamily,
  reach: Reach,
  action: string,
): Route & { readonly name: N } {
  const [method = '', path = ''] = request.split(' ');
  const kind = method === 'DELETE' ? 'deletes' : method === 'GET' || method === 'HEAD' ? 'reads' : 'writes';
  return { name, method, path, family, kind, reach, action };
}

const routes = [
  route('listTenants', 'GET /tenants', 'tenant', 'anyone', ''),
  route('listSubscriptions', 'GET /subscriptions', 'tenant', 'filtered', ''),
  route('listOperations', `GET /providers/${cognitive}/operations`, 'accounts', 'anyone', ''),
  route('getSubscription', `GET ${subscription}`, 'tenant', 'subscription', `${resources}/read`),
  route(
    'listLocations',
    `GET ${subscription}/locations`,
    'tenant',
    'subscription',
    `${resources}/locations/read`,
  ),
  route(
    'listProviders',
    `GET ${subscription}/providers`,
    'resources',
    'subscription',
    `${resources}/providers/read`,
  ),
  route(
    'getProvider',
    `GET ${subscription}/providers/{provider}`,
    'resources',
    'subscription',
    `${resources}/providers/read`,
  ),
  route(
    'registerProvider',
    `POST ${subscription}/providers/{provider}/register`,
    'resources',
    'subscription',
    '{provider}/register/action',
  ),
  route(
    'listResources',
    `GET ${subscription}/resources`,
    'resources',
    'filtered',
    `${resources}/resources/read`,
  ),
  route(
    'listResourcesByResourceGroup',
    `GET ${group}/resources`,
    'resources',
    'filtered',
    `${resources}/resourceGroups/resources/read`,
  ),
  route(
    'listResourceGroups',
    `GET ${subscription}/resourceGroups`,
    'resources',
    'filtered',
    `${resources}/resourceGroups/read`,
  ),
  route('getResourceGroup', `GET ${group}`, 'resources', 'group', `${resources}/resourceGroups/read`),
  route('headResourceGroup', `HEAD ${group}`, 'resources', 'group', `${resources}/resourceGroups/read`),
  route('putResourceGroup', `PUT ${group}`, 'resources', 'group', `${resources}/resourceGroups/write`),
  route('patchResourceGroup', `PATCH ${group}`, 'resources', 'group', `${resources}/resourceGroups/write`),
  route('deleteResourceGroup', `DELETE ${group}`, 'resources', 'group', `${resources}/resourceGroups/delete`),
  // A provider's own list is refused whole to whoever may not read the whole subscription: only Resource Manager's
  // lists (resources, groups, subscriptions) are cut to what the caller may see.
  route('listAccounts', `GET ${provider}/accounts`, 'accounts', 'subscription', `${cognitive}/accounts/read`),
  route('listAccountsByResourceGroup', `GET ${accounts}`, 'accounts', 'group', `${cognitive}/accounts/read`),
  route('getAccount', `GET ${account}`, 'accounts', 'account', `${cognitive}/accounts/read`),
  route('putAccount', `PUT ${account}`, 'accounts', 'account', `${cognitive}/accounts/write`),
  route('patchAccount', `PATCH ${account}`, 'accounts', 'account', `${cognitive}/accounts/write`),
  route('deleteAccount', `DELETE ${account}`, 'accounts', 'account', `${cognitive}/accounts/delete`),
  route(
    'listKeys',
    `POST ${account}/listKeys`,
    'accounts',
    'account',
    `${cognitive}/accounts/listKeys/action`,
  ),
  route(
    'regenerateKey',
    `POST ${account}/regenerateKey`,
    'accounts',
    'account',
    `${cognitive}/accounts/regenerateKey/action`,
  ),
  route('listAccountSkus', `GET ${account}/skus`, 'accounts', 'account', `${cognitive}/accounts/skus/read`),
  route(
    'listAccountUsages',
    `GET ${account}/usages`,
    'accounts',
    'account',
    `${cognitive}/accounts/usages/read`,
  ),
  route(
    'listAccountModels',
    `GET ${account}/models`,
    'accountExtras',
    'account',
    `${cognitive}/accounts/models/read`,
  ),
  route('listSkus', `GET ${provider}/skus`, 'accounts', 'subscription', `${cognitive}/skus/read`),
  route(
    'listModels',
    `GET ${provider}/locations/{location}/models`,
    'accountExtras',
    'subscription',
    `${cognitive}/locations/models/read`,
  ),
  route(
    'checkDomainAvailability',
    `POST ${provider}/checkDomainAvailability`,
    'accounts',
    'subscription',
    `${cognitive}/checkDomainAvailability/action`,
  ),
  route(
    'checkSkuAvailability',
    `POST ${provider}/locations/{location}/checkSkuAvailability`,
    'accounts',
    'subscription',
    `${cognitive}/locations/checkSkuAvailability/action`,
  ),
  route(
    'listDeletedAccounts',
    `GET ${provider}/deletedAccounts`,
    'deletedAccounts',
    'subscription',
    `${cognitive}/deletedAccounts/read`,
  ),
  // A role on the group is not enough for these two (documented).
  route(
    'getDeletedAccount',
    `GET ${deleted}`,
    'deletedAccounts',
    'subscription',
    `${cognitive}/locations/resourceGroups/deletedAccounts/read`,
  ),
  route(
    'purgeDeletedAccount',
    `DELETE ${deleted}`,
    'deletedAccounts',
    'subscription',
    `${cognitive}/locations/resourceGroups/deletedAccounts/delete`,
  ),
] as const satisfies readonly Route[];

export type ArmOperationName = (typeof routes)[number]['name'] | 'unknown';

/** All that a fault can name. */
export const armOperations: readonly string[] = routes.map(({ name }) => name);

export interface ArmOperation extends Operation {
  readonly name: ArmOperationName;
  /** The account's name, or the group's, or the provider's. */
  readonly target: string;
  readonly subscription: string;
  readonly group: string;
  readonly location: string;
  readonly family: ApiFamily;
  readonly kind: RequestKind;
  readonly reach: Reach;
  readonly action: string;
}

const patterns = routes.map((one) => ({
  one,
  parts: one.path
    .slice(1)
    .split('/')
    .map((part) => part.toLowerCase()),
}));

/** Resource Manager's paths are compared without regard to case. */
export function recogniseArm({ method, segments }: Incoming): ArmOperation {
  for (const { one, parts } of patterns) {
    if (one.method !== method || parts.length !== segments.length) continue;
    const found = match(parts, segments);
    if (found === undefined) continue;
    const named = found['account'] ?? found['provider'] ?? found['group'] ?? '';
    return {
      name: one.name,
      target: named,
      subscription: (found['subscription'] ?? '').toLowerCase(),
      group: found['group'] ?? '',
      location: (found['location'] ?? '').toLowerCase(),
      family: one.family,
      kind: one.kind,
      reach: one.reach,
      action: one.action.replace('{provider}', named),
    };
  }
  const isBelow = segments[0]?.toLowerCase() === 'subscriptions';
  return {
    name: 'unknown',
    target: '',
    subscription: isBelow ? (segments[1] ?? '').toLowerCase() : '',
    group: '',
    location: '',
    family: 'resources',
    kind: 'reads',
    reach: 'anyone',
    action: '',
  };
}

function match(
  parts: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const found: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] ?? '';
    if (part.startsWith('{')) found[part.slice(1, -1)] = segment;
    else if (part !== segment.toLowerCase()) return undefined;
  }
  return found;
}

export function accountId(subscriptionId: string, groupName: string, name: string): string {
  return `${groupId(subscriptionId, groupName)}/providers/${cognitive}/accounts/${name}`;
}

export function groupId(subscriptionId: string, name: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${name}`;
}
