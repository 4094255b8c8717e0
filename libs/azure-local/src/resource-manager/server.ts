import { randomUUID } from 'node:crypto';
import type { Directory } from '../entra/state.js';
import type { Principal, Tokens } from '../entra/tokens.js';
import type { Table } from '../host/persist.js';
import { json, type Circumstances, type Incoming, type Reply, type Service } from '../host/plugin.js';
import type { Account, Accounts } from './state.js';
import type { Buckets } from './buckets.js';
import {
  accountNotFound,
  groupNotFound,
  localAuthDisabled,
  missingApiVersion,
  serviceError,
  subscriptionNotFound,
  throttled,
  unauthenticated,
  unauthorizedFor,
} from './errors.js';
import {
  accountId,
  accountResource,
  demandOf,
  groupId,
  groupResource,
  parseAccount,
  parseSlot,
  recogniseArm,
  type ArmOperation,
} from './protocol.js';

export interface ArmOptions {
  readonly accounts: Accounts;
  /** Names of resource groups, by their name in lower case. */
  readonly groups: Table<string>;
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly buckets: Buckets | undefined;
  readonly authority: () => string;
  readonly pageSize: number;
  /** Why an account may not be called that; names are paths on the shared origin. */
  readonly refuseName: (name: string) => string | undefined;
}

const audiences = ['https://management.azure.com', 'https://management.core.windows.net'];

/** Resource Manager, as far as Cognitive Services accounts and the discovery of subscriptions go. */
export function armService(options: ArmOptions): Service<ArmOperation> {
  const { directory, tokens } = options;
  return {
    name: 'arm',
    recognise: recogniseArm,
    refuse: (status, code, message) =>
      status === 429
        ? throttled('planted', directory.subscriptionId, 'any', 1)
        : serviceError(status, code ?? 'InternalServerError', message ?? 'Planted fault.'),
    perform: async (operation, request, circumstances) => {
      const who = await tokens.identify(request.headers.authorization, audiences);
      if ('refused' in who) return stamped(unauthenticated(options.authority(), who.refused));
      const refused = refuse(operation, request, who.principal, directory);
      if (refused !== undefined) return stamped(refused);
      const { kind } = demandOf(operation.name);
      const taken = options.buckets?.take(who.principal.clientId, kind);
      if (taken?.ok === false) {
        const { clientId } = who.principal;
        return stamped(throttled(kind, directory.subscriptionId, clientId, taken.retryAfterSeconds));
      }
      const level = taken === undefined ? {} : levels(kind, taken.remaining, taken.globalRemaining);
      return stamped(answer(operation, request, circumstances, options), level);
    },
  };
}

/** A resource that may not be seen is refused before it is looked for, as Azure does. */
function refuse(
  operation: ArmOperation,
  request: Incoming,
  { clientId, objectId }: Principal,
  directory: Directory,
): Reply | undefined {
  if (!request.query.has('api-version')) return missingApiVersion();
  if (operation.name === 'listSubscriptions' || operation.name === 'listTenants') return undefined;
  const { subscription, group, target } = operation;
  if (subscription !== directory.subscriptionId) return subscriptionNotFound(subscription);
  const { action } = demandOf(operation.name);
  const scope = scopeOf(
    directory.subscriptionId,
    group,
    operation.name.includes('ResourceGroup') ? '' : target,
  );
  if (directory.permits(clientId, { action, scope })) return undefined;
  return unauthorizedFor(clientId, objectId, action, scope);
}

function scopeOf(subscription: string, group: string, account: string): string {
  if (account !== '') return accountId(subscription, group, account);
  return group === '' ? `/subscriptions/${subscription}` : groupId(subscription, group);
}

function answer(
  operation: ArmOperation,
  request: Incoming,
  circumstances: Circumstances,
  options: ArmOptions,
): Reply {
  const { accounts, groups, directory } = options;
  const { subscriptionId: subscription, tenantId } = directory;
  const { group } = operation;
  switch (operation.name) {
    case 'listTenants':
      return json(200, { value: [{ id: `/tenants/${tenantId}`, tenantId, displayName: 'Azure Local' }] });
    case 'listSubscriptions':
      return json(200, { value: [subscriptionResource(directory)] });
    case 'getSubscription':
      return json(200, subscriptionResource(directory));
    case 'listResourceGroups':
      return json(200, { value: [...groups.entries()].map(([, name]) => groupResource(subscription, name)) });
    case 'putResourceGroup':
      groups.write([group.toLowerCase(), groups.get(group.toLowerCase()) ?? group]);
      return json(200, groupResource(subscription, group));
    case 'listAccounts':
      return listed(accounts.all(), request, options);
    case 'unknown':
      return serviceError(
        404,
        'InvalidResourceType',
        'The emulator has accounts of Microsoft.CognitiveServices only.',
      );
    default:
      if (groups.get(group.toLowerCase()) === undefined) return groupNotFound(group);
      return answerInGroup(operation, request, circumstances, options);
  }
}

function answerInGroup(
  operation: ArmOperation,
  request: Incoming,
  { stale = false, lag }: Circumstances,
  options: ArmOptions,
): Reply {
  const { accounts, directory } = options;
  const { target, group, name } = operation;
  const inGroup = ({ resourceGroup }: Account) => resourceGroup.toLowerCase() === group.toLowerCase();
  if (name === 'getResourceGroup') return json(200, groupResource(directory.subscriptionId, group));
  if (name === 'listAccountsByResourceGroup') return listed(accounts.all().filter(inGroup), request, options);
  const account = accounts.get(target);
  const here = account !== undefined && inGroup(account) ? account : undefined;
  const show = (one: Account) => accountResource(one, directory.subscriptionId, request.origin);
  if (name === 'putAccount') return put(operation, request, options, here ?? account);
  if (here === undefined) return name === 'deleteAccount' ? { status: 204 } : accountNotFound(target, group);
  switch (name) {
    case 'getAccount':
      return json(200, show(here));
    case 'patchAccount': {
      const changes = parseAccount(request.body);
      return changes === undefined ? malformed() : json(200, show(accounts.patch(target, changes) ?? here));
    }
    case 'deleteAccount':
      accounts.delete(target);
      return { status: 200 };
    case 'listKeys':
      return here.disableLocalAuth ? localAuthDisabled() : json(200, accounts.keys(here, stale));
    default: {
      if (here.disableLocalAuth) return localAuthDisabled();
      const slot = parseSlot(request.body);
      if (slot === undefined) return serviceError(400, 'InvalidKeyName', 'keyName is Key1 or Key2.');
      return json(200, accounts.regenerate(here, slot, lag).keys);
    }
  }
}

function put(
  { target, group }: ArmOperation,
  { body, origin }: Incoming,
  { accounts, directory, refuseName }: ArmOptions,
  before: Account | undefined,
): Reply {
  const fields = parseAccount(body);
  if (fields === undefined) return malformed();
  const refusal = refuseName(target);
  if (refusal !== undefined) return serviceError(400, 'AccountNameInvalid', refusal);
  if (before !== undefined && before.resourceGroup.toLowerCase() !== group.toLowerCase()) {
    return serviceError(409, 'CustomDomainInUse', `The name ${target} is used in another resource group.`);
  }
  const { account, created } = accounts.put({ ...fields, name: target, resourceGroup: group });
  return json(created ? 201 : 200, accountResource(account, directory.subscriptionId, origin));
}

function listed(all: readonly Account[], { origin, segments, query }: Incoming, options: ArmOptions): Reply {
  const start = Number(query.get('$skiptoken') ?? 0);
  const next = start + options.pageSize;
  const more = new URLSearchParams(query);
  more.set('$skiptoken', String(next));
  return json(200, {
    value: all
      .slice(start, next)
      .map((account) => accountResource(account, options.directory.subscriptionId, origin)),
    ...(next < all.length ? { nextLink: `${origin}/${segments.join('/')}?${more.toString()}` } : {}),
  });
}

function subscriptionResource({ subscriptionId, tenantId }: Directory): Readonly<Record<string, unknown>> {
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
  };
}

function malformed(): Reply {
  return serviceError(
    400,
    'InvalidRequestContent',
    'The request content was invalid and could not be deserialized.',
  );
}

function levels(kind: string, remaining: number, globalRemaining: number): Readonly<Record<string, string>> {
  const prefix = 'x-ms-ratelimit-remaining-subscription';
  return { [`${prefix}-${kind}`]: String(remaining), [`${prefix}-global-${kind}`]: String(globalRemaining) };
}

function stamped(reply: Reply, more: Readonly<Record<string, string>> = {}): Reply {
  const id = randomUUID();
  const stamps = { 'x-ms-request-id': id, 'x-ms-correlation-request-id': id, 'cache-control': 'no-cache' };
  return { ...reply, headers: { ...stamps, ...more, ...reply.headers } };
}
