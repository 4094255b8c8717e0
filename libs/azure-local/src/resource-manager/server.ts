import { randomUUID } from 'node:crypto';
import { hasAnyRole } from '../entra/roles.js';
import type { Directory } from '../entra/state.js';
import type { Principal, Tokens } from '../entra/tokens.js';
import type { Table } from '../host/persist.js';
import {
  json,
  type Circumstances,
  type Clock,
  type Incoming,
  type Reply,
  type Service,
} from '../host/plugin.js';
import { answerDeleted, answerInGroup, type AccountOptions } from './account-answers.js';
import { versionFault } from './api-versions.js';
import type { Buckets } from './buckets.js';
import {
  nothingThere,
  providerNotFound,
  serviceError,
  subscriptionNotFound,
  throttled,
  unauthenticated,
  unauthorizedFor,
  versionRefused,
} from './errors.js';
import { Groups, type StoredGroup } from './groups.js';
import { page } from './pages.js';
import { accountId, groupId, recogniseArm, type ArmOperation } from './protocol.js';
import { providerNamed, providerOperations } from './providers.js';
import { accountResource, subscriptionResource, tenantResource } from './resources.js';
import { answerFiltered, answerGroup, answerSubscription } from './subscription-answers.js';

export interface ArmOptions extends Omit<AccountOptions, 'groups'> {
  /** Resource groups, by their name in lower case. */
  readonly groups: Table<StoredGroup>;
  readonly tokens: Tokens;
  readonly buckets: Buckets | undefined;
  readonly clock: Clock;
  readonly authority: () => string;
}

const audiences = ['https://management.azure.com', 'https://management.core.windows.net'];

/** Resource Manager, as far as Cognitive Services accounts and the discovery of subscriptions go. */
export function armService(options: ArmOptions): Service<ArmOperation> {
  const { directory, tokens, clock } = options;
  const parts: AccountOptions = { ...options, groups: new Groups(options.groups) };
  return {
    name: 'arm',
    recognise: recogniseArm,
    refuse: (status, code, message) => {
      const usual = status === 429 && code === undefined && message === undefined;
      const reply = usual
        ? throttled('planted', directory.subscriptionId, 'any', 1)
        : serviceError(status, code ?? 'InternalServerError', message ?? 'Planted fault.');
      return stamped(reply, undefined, clock());
    },
    perform: async (operation, request, circumstances) => {
      const stamp = (reply: Reply) => stamped(reply, request, clock());
      const who = await tokens.identify(request.headers.authorization, audiences);
      if ('refused' in who) return stamp(unauthenticated(options.authority(), who.refused));
      const refused = refuse(operation, request, who.principal, directory);
      if (refused !== undefined) return stamp(refused);
      return stamp(
        throttle(operation, who.principal, options, () =>
          answer(operation, request, circumstances, who.principal, parts),
        ),
      );
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
  const { family, subscription, reach, action } = operation;
  const version = request.query.get('api-version');
  const fault = versionFault(family, version);
  // Of what is not there, nobody knows the versions.
  if (fault !== undefined && (operation.name !== 'unknown' || fault === 'missing'))
    return versionRefused(fault, family, version ?? '', typeOf(operation));
  if (subscription !== '' && subscription !== directory.subscriptionId)
    return subscriptionNotFound(subscription);
  if (reach === 'anyone' || reach === 'filtered') return undefined;
  const scope = scopeOf(operation, directory.subscriptionId);
  return directory.permits(clientId, { action, scope })
    ? undefined
    : unauthorizedFor(clientId, objectId, action, scope);
}

function typeOf({ name, family }: ArmOperation): string {
  if (family === 'deletedAccounts') return 'deletedAccounts';
  return name === 'listOperations' ? 'operations' : 'accounts';
}

function scopeOf({ reach, group, target }: ArmOperation, subscription: string): string {
  if (reach === 'account') return accountId(subscription, group, target);
  return reach === 'group' ? groupId(subscription, group) : `/subscriptions/${subscription}`;
}

/** Draws on the buckets, and tells their level with the answer; an empty one answers itself. */
function throttle(
  { kind, subscription }: ArmOperation,
  { clientId }: Principal,
  { buckets, directory }: ArmOptions,
  serve: () => Reply,
): Reply {
  if (buckets === undefined) return serve();
  const place = subscription === '' ? 'tenant' : 'subscription';
  const taken = buckets.take(clientId, kind, place);
  const reply = taken.ok
    ? serve()
    : throttled(kind, directory.subscriptionId, clientId, taken.retryAfterSeconds);
  const prefix = `x-ms-ratelimit-remaining-${place}`;
  const level = {
    [`${prefix}-${kind}`]: String(taken.ok ? taken.remaining : 0),
    ...(place === 'tenant'
      ? {}
      : { [`${prefix}-global-${kind}`]: String(taken.ok ? taken.globalRemaining : 0) }),
  };
  return { ...reply, headers: { ...level, ...reply.headers } };
}

function answer(
  operation: ArmOperation,
  request: Incoming,
  circumstances: Circumstances,
  { clientId }: Principal,
  options: AccountOptions,
): Reply {
  const { accounts, directory, pageSize } = options;
  const sees = (scope: string, action: string) => directory.permits(clientId, { action, scope });
  switch (operation.name) {
    case 'listTenants':
      return json(200, { value: [tenantResource(directory.tenantId)] });
    case 'listSubscriptions': {
      const assignments = directory.application(clientId)?.assignments ?? [];
      const isVisible = hasAnyRole(assignments, `/subscriptions/${directory.subscriptionId}`);
      const visible = isVisible ? [subscriptionResource(directory)] : [];
      return json(200, { value: visible, count: { type: 'Total', value: visible.length } });
    }
    case 'getSubscription':
      return json(200, subscriptionResource(directory));
    case 'listOperations':
      return json(200, { value: providerOperations() });
    case 'listAccounts':
      return page(accounts.all(circumstances.stale), request, pageSize, (one) =>
        accountResource(one, directory, request.origin, accounts.isSettled(one)),
      );
    case 'listResourceGroups':
    case 'listResources':
    case 'listResourcesByResourceGroup':
      return answerFiltered(operation, request, sees, options);
    case 'getResourceGroup':
    case 'headResourceGroup':
    case 'putResourceGroup':
    case 'patchResourceGroup':
    case 'deleteResourceGroup':
      return answerGroup(operation, request, options);
    case 'listDeletedAccounts':
    case 'getDeletedAccount':
    case 'purgeDeletedAccount':
      return answerDeleted(operation, request, options);
    case 'listLocations':
    case 'listProviders':
    case 'getProvider':
    case 'registerProvider':
    case 'listSkus':
    case 'listModels':
    case 'checkDomainAvailability':
    case 'checkSkuAvailability':
      return answerSubscription(operation, request, options);
    case 'unknown':
      return answerUnknown(request);
    default:
      return answerInGroup(operation, request, circumstances, options);
  }
}

function answerUnknown({ segments }: Incoming): Reply {
  const at = segments.findIndex((segment) => segment.toLowerCase() === 'providers');
  const provider = at < 0 ? undefined : segments[at + 1];
  return provider === undefined || providerNamed(provider) !== undefined
    ? nothingThere(`/${segments.join('/')}`)
    : providerNotFound(provider);
}

/** What every answer of Resource Manager carries; a correlation id of the client's comes back to it. */
function stamped(reply: Reply, request: Incoming | undefined, now: number): Reply {
  const header = (name: string) => {
    const value = request?.headers[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const id = randomUUID();
  const correlation = header('x-ms-correlation-request-id') ?? id;
  const clientRequest = header('x-ms-client-request-id');
  const asked = header('x-ms-return-client-request-id')?.toLowerCase() === 'true';
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  return {
    ...reply,
    headers: {
      'x-ms-request-id': id,
      'x-ms-correlation-request-id': correlation,
      'x-ms-routing-request-id': `WESTEUROPE:${time}:${correlation}`,
      ...(asked && clientRequest !== undefined ? { 'x-ms-client-request-id': clientRequest } : {}),
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      pragma: 'no-cache',
      expires: '-1',
      ...reply.headers,
    },
  };
}
