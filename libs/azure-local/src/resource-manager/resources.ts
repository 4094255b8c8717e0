import { createHash } from 'node:crypto';
import type { Directory } from '../entra/state.js';
import { displayNameOf, tierOf } from './catalogue.js';
import type { Group } from './groups.js';
import { accountId, groupId } from './protocol.js';
import { recoverableMs, type Account } from './state.js';

type Resource = Readonly<Record<string, unknown>>;

const accountsType = 'Microsoft.CognitiveServices/accounts';

/** The subdomain that an account was given; Entra tokens need one. */
export function subdomainOf({ name, properties }: Account): string | undefined {
  const given = properties === undefined ? name : properties['customSubDomainName'];
  return typeof given === 'string' && given !== '' ? given : undefined;
}

/** An account as Resource Manager shows it; never its keys. */
export function accountResource(
  account: Account,
  { subscriptionId, tenantId }: Directory,
  origin: string,
  isSettled: boolean,
): Resource {
  const endpoint = `${origin}/${account.name}/`;
  const id = accountId(subscriptionId, account.resourceGroup, account.name);
  const [created, changed] = [account.createdAt, account.changedAt].map((at) => new Date(at).toISOString());
  const subdomain = subdomainOf(account);
  const restricted = account.properties?.['publicNetworkAccess'] === 'Disabled';
  return {
    id,
    name: account.name,
    type: accountsType,
    etag: `"${createHash('sha256').update(`${id}${account.revision}`).digest('hex').slice(0, 32)}"`,
    location: account.location,
    kind: account.kind,
    sku: { name: account.sku, tier: tierOf(account.sku) },
    ...(account.identity === undefined ? {} : { identity: identityOf(account, tenantId) }),
    tags: account.tags,
    systemData: {
      createdBy: 'azure-local',
      createdByType: 'Application',
      createdAt: created,
      lastModifiedBy: 'azure-local',
      lastModifiedByType: 'Application',
      lastModifiedAt: changed,
    },
    properties: {
      publicNetworkAccess: 'Enabled',
      networkAcls: {
        defaultAction: restricted ? 'Deny' : 'Allow',
        virtualNetworkRules: [],
        ipRules: [],
      },
      ...account.properties,
      ...(subdomain === undefined ? {} : { customSubDomainName: subdomain }),
      endpoint,
      endpoints: { [account.kind]: endpoint },
      provisioningState: isSettled ? 'Succeeded' : 'Accepted',
      internalId: account.internalId,
      dateCreated: created,
      callRateLimit: { rules: [] },
      disableLocalAuth: account.disableLocalAuth,
      capabilities: [],
      isMigrated: false,
      privateEndpointConnections: [],
    },
  };
}

/** A system identity gets ids that only depend on the account, so that they stay. */
function identityOf({ identity, internalId }: Account, tenantId: string): Resource {
  const type = identity?.['type'];
  if (typeof type !== 'string' || !type.includes('SystemAssigned')) return { ...identity };
  const digits = createHash('sha256').update(internalId).digest('hex');
  const principalId = [8, 12, 16, 20, 32]
    .map((end, at, ends) => digits.slice(ends[at - 1] ?? 0, end))
    .join('-');
  return { ...identity, principalId, tenantId };
}

/** A deleted account, at the place where it waits to be restored or purged. */
export function deletedAccountResource(account: Account, directory: Directory, origin: string): Resource {
  const { deletedAt = 0 } = account;
  const live = accountResource(account, directory, origin, true);
  const place = `/subscriptions/${directory.subscriptionId}/providers/Microsoft.CognitiveServices/locations/${account.location}`;
  return {
    ...live,
    id: `${place}/resourceGroups/${account.resourceGroup}/deletedAccounts/${account.name}`,
    type: 'Microsoft.CognitiveServices/deletedAccounts',
    properties: {
      ...(live['properties'] as Resource),
      deletionDate: new Date(deletedAt).toISOString(),
      scheduledPurgeDate: new Date(deletedAt + recoverableMs).toISOString(),
    },
  };
}

/** An account as the list of all resources shows it: what it is and where, no more. */
export function genericResource(account: Account, subscription: string): Resource {
  return {
    id: accountId(subscription, account.resourceGroup, account.name),
    name: account.name,
    type: accountsType,
    sku: { name: account.sku },
    kind: account.kind,
    location: account.location,
    tags: account.tags,
  };
}

export function groupResource(subscription: string, { name, location, tags }: Group): Resource {
  return {
    id: groupId(subscription, name),
    name,
    type: 'Microsoft.Resources/resourceGroups',
    location,
    tags,
    properties: { provisioningState: 'Succeeded' },
  };
}

export function subscriptionResource({ subscriptionId, tenantId }: Directory): Resource {
  return {
    id: `/subscriptions/${subscriptionId}`,
    subscriptionId,
    tenantId,
    displayName: 'Azure Local',
    state: 'Enabled',
    subscriptionPolicies: {
      locationPlacementId: 'Public_2014-09-01',
      quotaId: 'Local',
      spendingLimit: 'Off',
    },
    authorizationSource: 'RoleBased',
    managedByTenants: [],
  };
}

export function tenantResource(tenantId: string): Resource {
  return {
    id: `/tenants/${tenantId}`,
    tenantId,
    countryCode: 'NL',
    displayName: 'Azure Local',
    domains: [],
    tenantCategory: 'Home',
  };
}

export function locationResource(subscription: string, name: string): Resource {
  const displayName = displayNameOf(name);
  return {
    id: `/subscriptions/${subscription}/locations/${name}`,
    name,
    type: 'Region',
    displayName,
    regionalDisplayName: displayName,
    metadata: { regionType: 'Physical', regionCategory: 'Recommended' },
  };
}
