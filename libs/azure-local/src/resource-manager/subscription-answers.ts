import {
  isObject,
  json,
  jsonObject,
  jsonValue,
  stringMap,
  type Incoming,
  type Reply,
} from '../host/plugin.js';
import { isSubdomainTaken, type AccountOptions } from './account-answers.js';
import { isKind, locationName, locations, regionalModels, skusOf, subscriptionSkus } from './catalogue.js';
import {
  groupLocationChanged,
  groupLocationUnknown,
  groupNotFound,
  locationRequired,
  malformed,
  missingValue,
  providerNotFound,
} from './errors.js';
import { page } from './pages.js';
import type { ArmOperation } from './protocol.js';
import { providerNamed, providerNames, providerResource } from './providers.js';
import { genericResource, groupResource, locationResource } from './resources.js';

/** Answers what is about a resource group itself. */
export function answerGroup(
  { name, group }: ArmOperation,
  { body }: Incoming,
  options: AccountOptions,
): Reply {
  const { accounts, groups, directory } = options;
  const { subscriptionId } = directory;
  const before = groups.get(group);
  if (name === 'putResourceGroup') return putGroup(group, body, options);
  if (name === 'headResourceGroup') return { status: before === undefined ? 404 : 204 };
  if (before === undefined) return groupNotFound(group);
  switch (name) {
    case 'patchResourceGroup': {
      const fields = jsonObject(body);
      const tags = fields === undefined ? undefined : stringMap(fields['tags'] ?? before.tags);
      if (tags === undefined) return malformed('tags: names with texts were expected');
      return json(200, groupResource(subscriptionId, groups.put({ ...before, tags }).group));
    }
    case 'deleteResourceGroup':
      for (const one of accounts.all())
        if (one.resourceGroup.toLowerCase() === group.toLowerCase()) accounts.delete(one.name);
      groups.delete(group);
      return { status: 200 };
    default:
      return json(200, groupResource(subscriptionId, before));
  }
}

function putGroup(name: string, body: Buffer, { groups, directory }: AccountOptions): Reply {
  const fields = jsonObject(body);
  if (fields === undefined) return malformed('a JSON object with "location" was expected');
  const tags = stringMap(fields['tags'] ?? {});
  if (tags === undefined) return malformed('tags: names with texts were expected');
  const asked = fields['location'];
  if (typeof asked !== 'string' || asked === '') return locationRequired();
  const location = locationName(asked);
  const before = groups.get(name);
  if (before !== undefined && before.location !== location)
    return groupLocationChanged(before.name, before.location, location);
  if (before === undefined && !locations.includes(location)) return groupLocationUnknown(location);
  const { group, created } = groups.put({ name, location, tags });
  return json(created ? 201 : 200, groupResource(directory.subscriptionId, group));
}

/** Answers what is about the whole subscription and hides nothing. */
export function answerSubscription(
  { name, target }: ArmOperation,
  { body }: Incoming,
  { accounts, directory }: AccountOptions,
): Reply {
  const { subscriptionId } = directory;
  switch (name) {
    case 'listLocations':
      return json(200, { value: locations.map((one) => locationResource(subscriptionId, one)) });
    case 'listProviders':
      return json(200, { value: providerNames.map((one) => providerResource(subscriptionId, one)) });
    case 'getProvider':
    case 'registerProvider': {
      const provider = providerNamed(target);
      return provider === undefined
        ? providerNotFound(target)
        : json(200, providerResource(subscriptionId, provider));
    }
    case 'listSkus':
      return json(200, { value: subscriptionSkus() });
    case 'listModels':
      return json(200, { value: regionalModels() });
    case 'checkDomainAvailability': {
      const fields = jsonObject(body);
      if (fields === undefined)
        return body.length === 0 ? missingValue() : malformed('a JSON object was expected');
      const { subdomainName, type, kind } = fields;
      if (typeof subdomainName !== 'string') return missingValue('.SubdomainName');
      if (typeof type !== 'string') return missingValue('.Type');
      const taken = isSubdomainTaken(subdomainName, '', accounts);
      return json(200, {
        isSubdomainAvailable: !taken,
        ...(taken ? { reason: 'AlreadyInUse' } : {}),
        subdomainName,
        type,
        ...(typeof kind === 'string' ? { kind } : {}),
      });
    }
    default:
      return checkSkus(body);
  }
}

function checkSkus(body: Buffer): Reply {
  const fields = jsonValue(body);
  if (!isObject(fields)) return body.length === 0 ? missingValue() : malformed('a JSON object was expected');
  const { skus, kind, type } = fields;
  if (!Array.isArray(skus)) return missingValue('.Skus');
  if (typeof kind !== 'string') return missingValue('.Kind');
  if (typeof type !== 'string') return missingValue('.Type');
  return json(200, {
    value: skus.map((skuName: unknown) => {
      const skuAvailable = isKind(kind) && typeof skuName === 'string' && skusOf(kind).includes(skuName);
      const why = { reason: 'SkuNotAvailable', message: 'The kind is not sold in that tier.' };
      return { kind, type, skuName, skuAvailable, ...(skuAvailable ? {} : why) };
    }),
  });
}

/** Resource Manager's own lists, cut to what the caller may see. */
export function answerFiltered(
  { name, group, action }: ArmOperation,
  request: Incoming,
  sees: (id: string, action: string) => boolean,
  options: AccountOptions,
): Reply {
  const { accounts, groups, directory, pageSize } = options;
  const { subscriptionId } = directory;
  if (name === 'listResourceGroups') {
    const visible = groups
      .all()
      .filter((one) => sees(String(groupResource(subscriptionId, one)['id']), action));
    return page(visible, request, pageSize, (one) => groupResource(subscriptionId, one));
  }
  if (name === 'listResourcesByResourceGroup' && groups.get(group) === undefined) return groupNotFound(group);
  const wanted = filterOf(request.query.get('$filter'));
  if (wanted === undefined)
    return malformed("$filter: name, resourceType, resourceGroup and location, with eq and 'and'");
  const visible = accounts
    .all()
    .filter(({ resourceGroup }) => group === '' || resourceGroup.toLowerCase() === group.toLowerCase())
    .filter((account) => {
      const shown = genericResource(account, subscriptionId);
      const facts: Readonly<Record<string, string>> = {
        name: account.name,
        resourcetype: 'Microsoft.CognitiveServices/accounts',
        resourcegroup: account.resourceGroup,
        location: account.location,
      };
      return (
        sees(String(shown['id']), 'Microsoft.CognitiveServices/accounts/read') &&
        wanted.every(([field, value]) => facts[field]?.toLowerCase() === value.toLowerCase())
      );
    });
  return page(visible, request, pageSize, (one) => genericResource(one, subscriptionId));
}

/** `name eq 'x' and resourceType eq 'y'`: what az and the SDKs send. `undefined` for what is not understood. */
function filterOf(text: string | null): readonly (readonly [field: string, value: string])[] | undefined {
  if (text === null || text.trim() === '') return [];
  const terms = text.split(/\s+and\s+/i).map((term) => {
    const [, field, value] = /^\s*(\w+)\s+eq\s+'((?:[^']|'')*)'\s*$/i.exec(term) ?? [];
    return field === undefined || value === undefined
      ? undefined
      : ([field.toLowerCase(), value.replaceAll("''", "'")] as const);
  });
  const known = new Set(['name', 'resourcetype', 'resourcegroup', 'location']);
  const understood = terms.filter((term) => term !== undefined && known.has(term[0]));
  return understood.length === terms.length ? understood.filter((term) => term !== undefined) : undefined;
}
