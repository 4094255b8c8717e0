import { createHash } from 'node:crypto';
import { isObject, jsonObject, stringMap, type Incoming, type Operation } from '../host/plugin.js';
import type { Account, AccountDefinition } from './state.js';
import type { RequestKind } from './buckets.js';
import type { Slot } from './keys.js';

export type ArmOperationName =
  | 'listAccounts'
  | 'listAccountsByResourceGroup'
  | 'getAccount'
  | 'putAccount'
  | 'patchAccount'
  | 'deleteAccount'
  | 'listKeys'
  | 'regenerateKey'
  | 'listSubscriptions'
  | 'getSubscription'
  | 'listTenants'
  | 'listResourceGroups'
  | 'getResourceGroup'
  | 'putResourceGroup'
  | 'unknown';

export interface ArmOperation extends Operation {
  readonly name: ArmOperationName;
  /** The account's name, or the group's. */
  readonly target: string;
  readonly subscription: string;
  readonly group: string;
}

/** Resource Manager's paths are compared without regard to case. */
export function recogniseArm({ method, segments }: Incoming): ArmOperation {
  const lower = segments.map((segment) => segment.toLowerCase());
  const as = (name: ArmOperationName, target = '', group = ''): ArmOperation => ({
    name,
    target,
    group,
    subscription: lower[1] ?? '',
  });
  if (method === 'GET' && lower.length === 1 && lower[0] === 'tenants') return as('listTenants');
  if (lower[0] !== 'subscriptions') return as('unknown');
  if (lower.length <= 2)
    return as(method !== 'GET' ? 'unknown' : lower.length === 1 ? 'listSubscriptions' : 'getSubscription');
  const inGroup = lower[2] === 'resourcegroups';
  const group = inGroup ? (segments[3] ?? '') : '';
  const [provider, type, ...rest] = lower.slice(inGroup ? 4 : 2).slice(1);
  if (inGroup && lower.length <= 4) return as(groupOperation(method, group), group, group);
  if (provider !== 'microsoft.cognitiveservices' || type !== 'accounts') return as('unknown');
  const account = segments[segments.length - rest.length] ?? '';
  if (rest.length === 0)
    return as(
      method !== 'GET' ? 'unknown' : inGroup ? 'listAccountsByResourceGroup' : 'listAccounts',
      '',
      group,
    );
  if (!inGroup) return as('unknown');
  return as(accountOperation(method, rest[1], rest.length), account, group);
}

function groupOperation(method: string, group: string): ArmOperationName {
  if (method === 'PUT' && group !== '') return 'putResourceGroup';
  if (method !== 'GET') return 'unknown';
  return group === '' ? 'listResourceGroups' : 'getResourceGroup';
}

function accountOperation(method: string, verb: string | undefined, length: number): ArmOperationName {
  const asked = verb === undefined ? method : length === 2 ? `${method} ${verb}` : '';
  const names: Readonly<Record<string, ArmOperationName>> = {
    GET: 'getAccount',
    PUT: 'putAccount',
    PATCH: 'patchAccount',
    DELETE: 'deleteAccount',
    'POST listkeys': 'listKeys',
    'POST regeneratekey': 'regenerateKey',
  };
  return names[asked] ?? 'unknown';
}

const accountsType = 'Microsoft.CognitiveServices/accounts';

/** What Azure calls the permission, and which bucket the request draws on. */
export function demandOf(name: ArmOperationName): { readonly action: string; readonly kind: RequestKind } {
  switch (name) {
    case 'listKeys':
    case 'regenerateKey':
      return { action: `${accountsType}/${name}/action`, kind: 'writes' };
    case 'putAccount':
    case 'patchAccount':
      return { action: `${accountsType}/write`, kind: 'writes' };
    case 'putResourceGroup':
      return { action: 'Microsoft.Resources/subscriptions/resourceGroups/write', kind: 'writes' };
    case 'deleteAccount':
      return { action: `${accountsType}/delete`, kind: 'deletes' };
    case 'listAccounts':
    case 'listAccountsByResourceGroup':
    case 'getAccount':
      return { action: `${accountsType}/read`, kind: 'reads' };
    default:
      return { action: 'Microsoft.Resources/subscriptions/resourceGroups/read', kind: 'reads' };
  }
}

export function accountId(subscription: string, group: string, name: string): string {
  return `${groupId(subscription, group)}/providers/${accountsType}/${name}`;
}

export function groupId(subscription: string, group: string): string {
  return `/subscriptions/${subscription}/resourceGroups/${group}`;
}

/** `Key1` or `Key2`, in any case, as Azure takes it. */
export function parseSlot(body: Buffer): Slot | undefined {
  const name = jsonObject(body)?.['keyName'];
  const slot = typeof name === 'string' ? name.toLowerCase() : undefined;
  return slot === 'key1' || slot === 'key2' ? slot : undefined;
}

/** The fields of a create or update that the emulator keeps. */
export function parseAccount(body: Buffer): Partial<Omit<AccountDefinition, 'name'>> | undefined {
  const fields = jsonObject(body);
  if (fields === undefined) return undefined;
  const { kind, location } = fields;
  const sku = isObject(fields['sku']) ? fields['sku']['name'] : undefined;
  const disabled = isObject(fields['properties']) ? fields['properties']['disableLocalAuth'] : undefined;
  const tags = fields['tags'] === undefined ? undefined : stringMap(fields['tags']);
  return {
    ...(typeof kind === 'string' ? { kind } : {}),
    ...(typeof location === 'string' ? { location } : {}),
    ...(typeof sku === 'string' ? { sku } : {}),
    ...(typeof disabled === 'boolean' ? { disableLocalAuth: disabled } : {}),
    ...(tags === undefined ? {} : { tags }),
  };
}

/** An account as Resource Manager shows it; never its keys. */
export function accountResource(
  account: Account,
  subscription: string,
  origin: string,
): Readonly<Record<string, unknown>> {
  const endpoint = `${origin}/${account.name}/`;
  const id = accountId(subscription, account.resourceGroup, account.name);
  const [created, changed] = [account.createdAt, account.changedAt].map((at) => new Date(at).toISOString());
  return {
    id,
    name: account.name,
    type: accountsType,
    etag: `"${createHash('sha256').update(`${id}${account.revision}`).digest('hex').slice(0, 32)}"`,
    location: account.location,
    kind: account.kind,
    sku: { name: account.sku },
    tags: account.tags,
    systemData: {
      createdBy: 'azure-local',
      createdByType: 'Application',
      createdAt: created,
      lastModifiedAt: changed,
    },
    properties: {
      endpoint,
      endpoints: { [account.kind]: endpoint },
      provisioningState: 'Succeeded',
      internalId: account.internalId,
      dateCreated: created,
      callRateLimit: { rules: [] },
      customSubDomainName: account.name,
      publicNetworkAccess: 'Enabled',
      disableLocalAuth: account.disableLocalAuth,
      capabilities: [],
      networkAcls: { defaultAction: 'Allow', virtualNetworkRules: [], ipRules: [] },
      privateEndpointConnections: [],
    },
  };
}

export function groupResource(subscription: string, name: string): Readonly<Record<string, unknown>> {
  return {
    id: groupId(subscription, name),
    name,
    type: 'Microsoft.Resources/resourceGroups',
    location: 'westeurope',
    properties: { provisioningState: 'Succeeded' },
  };
}
