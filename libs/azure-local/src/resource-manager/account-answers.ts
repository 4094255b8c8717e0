import type { Directory } from '../entra/state.js';
import { json, type Circumstances, type Incoming, type Reply } from '../host/plugin.js';
import { asksToRestore, readPatch, readPut, readSlot } from './account-body.js';
import { accountModels, accountSkus, accountUsages } from './catalogue.js';
import {
  accountNotFound,
  deletedAccountNotFound,
  flagMustBeSetForRestore,
  groupNotFound,
  localAuthDisabled,
  requestConflict,
  serviceError,
  subdomainTaken,
} from './errors.js';
import type { Groups } from './groups.js';
import { page } from './pages.js';
import type { ArmOperation, ArmOperationName } from './protocol.js';
import { accountResource, deletedAccountResource } from './resources.js';
import type { Account, Accounts } from './state.js';

export interface AccountOptions {
  readonly accounts: Accounts;
  readonly groups: Groups;
  readonly directory: Directory;
  readonly pageSize: number;
  /** Why an account may not be called that; names are paths on the shared origin. */
  readonly refuseName: (name: string) => string | undefined;
  /** How long an account takes to be made or changed; it is ready at once unless said. */
  readonly provisioningMs?: () => number;
}

/** What Azure refuses while it is still at work on the account. Keys can be listed meanwhile. */
const changes: ReadonlySet<ArmOperationName> = new Set([
  'putAccount',
  'patchAccount',
  'deleteAccount',
  'regenerateKey',
]);

/** Answers what is about accounts and lies in a resource group. */
export function answerInGroup(
  operation: ArmOperation,
  request: Incoming,
  { stale = false, lag }: Circumstances,
  options: AccountOptions,
): Reply {
  const { accounts, groups, directory } = options;
  const { target, group, name } = operation;
  if (groups.get(group) === undefined) return groupNotFound(group);
  const inGroup = ({ resourceGroup }: Account) => resourceGroup.toLowerCase() === group.toLowerCase();
  const show = (one: Account) => accountResource(one, directory, request.origin, accounts.isSettled(one));
  if (name === 'listAccountsByResourceGroup')
    return page(accounts.all(stale).filter(inGroup), request, options.pageSize, show);
  const account = accounts.get(target, stale && name === 'getAccount');
  const here = account !== undefined && inGroup(account) ? account : undefined;
  if (here !== undefined && changes.has(name) && !accounts.isSettled(here))
    return requestConflict(directory.subscriptionId, here.resourceGroup, here.name);
  if (name === 'putAccount') return put(operation, request, options, account);
  if (here === undefined) return name === 'deleteAccount' ? { status: 204 } : accountNotFound(target, group);
  switch (name) {
    case 'getAccount':
      return json(200, show(here));
    case 'patchAccount': {
      const read = readPatch(request.body, here);
      if ('refused' in read) return read.refused;
      return json(200, show(accounts.patch(target, read.value, options.provisioningMs?.()) ?? here));
    }
    case 'deleteAccount':
      accounts.delete(target);
      return { status: 200 };
    case 'listKeys':
      return here.disableLocalAuth ? localAuthDisabled() : json(200, accounts.keys(here, stale));
    case 'regenerateKey': {
      if (here.disableLocalAuth) return localAuthDisabled();
      const slot = readSlot(request.body);
      return 'refused' in slot ? slot.refused : json(200, accounts.regenerate(here, slot.value, lag).keys);
    }
    case 'listAccountSkus':
      return json(200, { value: accountSkus(here.kind) });
    case 'listAccountUsages':
      return json(200, { value: accountUsages(here.kind) });
    case 'listAccountModels':
      return json(200, { value: accountModels(here.kind) });
    default:
      return accountNotFound(target, group);
  }
}

function put(
  { target, group }: ArmOperation,
  request: Incoming,
  options: AccountOptions,
  before: Account | undefined,
): Reply {
  const { accounts, groups, directory } = options;
  const show = (one: Account) => accountResource(one, directory, request.origin, accounts.isSettled(one));
  const refusal = options.refuseName(target);
  if (refusal !== undefined) return serviceError(400, 'AccountNameInvalid', refusal);
  const sameGroup = (other: Account) => other.resourceGroup.toLowerCase() === group.toLowerCase();
  if (before !== undefined && !sameGroup(before)) return subdomainTaken(target);
  const gone = accounts.deleted().find(({ name }) => name.toLowerCase() === target.toLowerCase());
  if (gone !== undefined) {
    if (!sameGroup(gone)) return subdomainTaken(target);
    if (!asksToRestore(request.body))
      return flagMustBeSetForRestore(directory.subscriptionId, gone.resourceGroup, gone.name);
    const restored = accounts.restore(target);
    return restored === undefined ? deletedAccountNotFound(target) : json(201, show(restored));
  }
  if (asksToRestore(request.body) && before === undefined) return deletedAccountNotFound(target);
  const read = readPut(request.body, before);
  if ('refused' in read) return read.refused;
  const subdomain = read.value.properties?.['customSubDomainName'];
  if (isSubdomainTaken(subdomain, target, accounts)) return subdomainTaken(String(subdomain));
  const { account, created } = accounts.put(
    {
      ...read.value,
      name: before?.name ?? target,
      resourceGroup: before?.resourceGroup ?? groups.get(group)?.name ?? group,
    },
    options.provisioningMs?.(),
  );
  return json(created ? 201 : 200, show(account));
}

/** Whether another account, or a deleted one, has the subdomain. */
export function isSubdomainTaken(asked: unknown, owner: string, accounts: Accounts): boolean {
  if (typeof asked !== 'string' || asked === '') return false;
  const wanted = asked.toLowerCase();
  return [...accounts.all(), ...accounts.deleted()].some(
    ({ name, properties }) =>
      name.toLowerCase() !== owner.toLowerCase() &&
      [name, properties?.['customSubDomainName']].some(
        (one) => typeof one === 'string' && one.toLowerCase() === wanted,
      ),
  );
}

/** Answers what is about deleted accounts: they lie below their region, not in their group. */
export function answerDeleted(
  { name, target, group, location }: ArmOperation,
  request: Incoming,
  { accounts, directory, pageSize }: AccountOptions,
): Reply {
  const show = (one: Account) => deletedAccountResource(one, directory, request.origin);
  if (name === 'listDeletedAccounts') return page(accounts.deleted(), request, pageSize, show);
  const found = accounts
    .deleted()
    .find(
      (one) =>
        one.name.toLowerCase() === target.toLowerCase() &&
        one.resourceGroup.toLowerCase() === group.toLowerCase() &&
        one.location === location,
    );
  if (name === 'getDeletedAccount')
    return found === undefined ? deletedAccountNotFound(target) : json(200, show(found));
  if (found === undefined) return { status: 204 };
  accounts.purge(found.name);
  return { status: 200 };
}
