import { isObject, jsonValue, stringMap, type Reply } from '../host/plugin.js';
import { isKind, locationName, locations, skusOf } from './catalogue.js';
import {
  kindChanged,
  kindUnknown,
  locationChanged,
  locationRequired,
  locationUnknown,
  malformed,
  missingValue,
  skuUnknown,
} from './errors.js';
import type { Slot } from './keys.js';
import { subdomainOf } from './resources.js';
import type { Account, AccountDefinition } from './state.js';

type Fields = Readonly<Record<string, unknown>>;

/** What a body asks of an account; the name is in the path. */
export type AskedAccount = Omit<AccountDefinition, 'name'>;

/** A good body, or the answer to a bad one. */
export type Read<T> = { readonly value: T } | { readonly refused: Reply };

/** Properties that Azure makes up itself: clients send them back to it, and it ignores them. */
const readOnly = new Set([
  'endpoint',
  'endpoints',
  'provisioningState',
  'internalId',
  'dateCreated',
  'callRateLimit',
  'capabilities',
  'isMigrated',
  'privateEndpointConnections',
  'skuChangeInfo',
  'quotaLimit',
  'deletionDate',
  'scheduledPurgeDate',
  'abusePenalty',
]);
/** Kept elsewhere, or obeyed rather than kept. */
const apart = new Set(['disableLocalAuth', 'restore', 'migrationToken']);
const texts = ['kind', 'location'] as const;

/** Whether the body asks to have a deleted account back, rather than a new one. */
export function asksToRestore(body: Buffer): boolean {
  const value = jsonValue(body);
  return isObject(value) && isObject(value['properties']) && value['properties']['restore'] === true;
}

/** A PUT says all there is to say: what it leaves out goes back to its default. */
export function readPut(body: Buffer, before: Account | undefined): Read<AskedAccount> {
  const read = readFields(body);
  if ('refused' in read) return read;
  const fields = read.value;
  if (fields.location === undefined) return { refused: locationRequired() };
  if (fields.kind === undefined) return { refused: missingValue('.Kind') };
  if (fields.sku === undefined) return { refused: missingValue('.Sku') };
  const refused = refuseFields(fields, before);
  if (refused !== undefined) return { refused };
  // A subdomain is given once and for good.
  const subdomain = before === undefined ? undefined : subdomainOf(before);
  const properties = {
    ...(subdomain === undefined ? {} : { customSubDomainName: subdomain }),
    ...fields.properties,
  };
  return {
    value: { identity: undefined, disableLocalAuth: false, tags: {}, ...fields, properties },
  };
}

/** A PATCH changes what it names. */
export function readPatch(body: Buffer, before: Account): Read<AskedAccount> {
  const read = readFields(body);
  if ('refused' in read) return read;
  const refused = refuseFields(read.value, before);
  if (refused !== undefined) return { refused };
  const { properties } = read.value;
  const kept = before.properties ?? { customSubDomainName: before.name };
  return {
    value: { ...read.value, ...(properties === undefined ? {} : { properties: { ...kept, ...properties } }) },
  };
}

/** `Key1` or `Key2`, in any case, as Azure takes it. */
export function readSlot(body: Buffer): Read<Slot> {
  if (body.length === 0) return { refused: missingValue() };
  const value = jsonValue(body);
  if (!isObject(value)) return { refused: malformed('a JSON object with "keyName" was expected') };
  const name = value['keyName'];
  if (name === undefined || name === null) return { refused: missingValue('.KeyName') };
  const slot = typeof name === 'string' ? name.toLowerCase() : '';
  if (slot === 'key1' || slot === 'key2') return { value: slot };
  return { refused: malformed(`keyName: ${JSON.stringify(name)} is neither Key1 nor Key2`) };
}

function readFields(body: Buffer): Read<AskedAccount> {
  if (body.length === 0) return { refused: missingValue() };
  const value = jsonValue(body);
  if (!isObject(value)) return { refused: malformed('a JSON object was expected') };
  const { sku, tags, identity, properties } = value;
  for (const field of texts) {
    const given = value[field];
    if (given !== undefined && given !== null && typeof given !== 'string')
      return { refused: malformed(`${field}: a text was expected`) };
  }
  for (const field of ['sku', 'identity', 'properties']) {
    const given = value[field];
    if (given !== undefined && given !== null && !isObject(given))
      return { refused: malformed(`${field}: an object was expected`) };
  }
  const asked = isObject(properties) ? properties : undefined;
  const disabled = asked?.['disableLocalAuth'];
  if (disabled !== undefined && disabled !== null && typeof disabled !== 'boolean')
    return { refused: malformed('properties.disableLocalAuth: true or false was expected') };
  const labels = tags === undefined || tags === null ? undefined : stringMap(tags);
  if (tags !== undefined && tags !== null && labels === undefined)
    return { refused: malformed('tags: names with texts were expected') };
  const location = textOf(value['location']);
  return {
    value: {
      ...optional('kind', textOf(value['kind'])),
      ...optional('location', location === undefined ? undefined : locationName(location)),
      ...optional('sku', isObject(sku) ? textOf(sku['name']) : undefined),
      ...optional('disableLocalAuth', typeof disabled === 'boolean' ? disabled : undefined),
      ...optional('tags', labels),
      ...optional('identity', isObject(identity) ? writable(identity) : undefined),
      ...optional('properties', asked === undefined ? undefined : writable(asked)),
    },
  };
}

function refuseFields({ kind, location, sku }: AskedAccount, before: Account | undefined): Reply | undefined {
  if (location !== undefined && location !== before?.location) {
    if (before !== undefined)
      return locationChanged(before.name, before.resourceGroup, before.location, location);
    if (!locations.includes(location)) return locationUnknown(location);
  }
  if (kind !== undefined && kind !== before?.kind) {
    if (before !== undefined && !isUpgrade(before.kind, kind)) return kindChanged();
    if (!isKind(kind)) return kindUnknown(kind);
  }
  const ofKind = kind ?? before?.kind ?? '';
  if (sku !== undefined && sku !== before?.sku && isKind(ofKind) && !skusOf(ofKind).includes(sku))
    return skuUnknown(sku, ofKind);
  return undefined;
}

/** The one change of kind that Azure offers, there and back (documented). */
function isUpgrade(before: string, after: string): boolean {
  return [before, after].sort().join(' ') === 'AIServices OpenAI';
}

function writable(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => !readOnly.has(name) && !apart.has(name) && value !== null,
    ),
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function optional<N extends string, V>(name: N, value: V | undefined): { readonly [K in N]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in N]?: V };
}
