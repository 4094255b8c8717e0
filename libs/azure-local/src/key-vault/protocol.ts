import { isObject, stringMap, type Incoming, type Operation } from '../host/plugin.js';
import { recoverableDays, type SecretVersion, type VersionChanges } from './state.js';

export type SecretOperationName =
  | 'setSecret'
  | 'getSecret'
  | 'updateSecret'
  | 'deleteSecret'
  | 'listSecrets'
  | 'listSecretVersions'
  | 'getDeletedSecret'
  | 'listDeletedSecrets'
  | 'recoverDeletedSecret'
  | 'purgeDeletedSecret'
  | 'unknown';

export interface SecretOperation extends Operation {
  readonly name: SecretOperationName;
  readonly version: string | undefined;
}

/** GET of the latest version arrives as `/secrets/name/`: empty segments are already gone. */
export function recogniseSecret({ method, segments }: Incoming): SecretOperation {
  const [collection = '', target = '', tail] = segments;
  const asked = `${method} ${collection.toLowerCase()}`;
  const as = (name: SecretOperationName): SecretOperation => ({ name, target, version: tail });
  if (segments.length > 3) return as('unknown');
  switch (asked) {
    case 'GET secrets':
      if (target === '') return as('listSecrets');
      return as(tail?.toLowerCase() === 'versions' ? 'listSecretVersions' : 'getSecret');
    case 'PUT secrets':
      return as('setSecret');
    case 'PATCH secrets':
      return as('updateSecret');
    case 'DELETE secrets':
      return as('deleteSecret');
    case 'GET deletedsecrets':
      return as(target === '' ? 'listDeletedSecrets' : 'getDeletedSecret');
    case 'POST deletedsecrets':
      return as(tail?.toLowerCase() === 'recover' ? 'recoverDeletedSecret' : 'unknown');
    case 'DELETE deletedsecrets':
      return as('purgeDeletedSecret');
    default:
      return as('unknown');
  }
}

export const secretName = /^[0-9a-zA-Z-]{1,127}$/;

/** What Azure calls the permission. */
export function dataActionOf(name: SecretOperationName): string {
  const secrets = 'Microsoft.KeyVault/vaults/secrets';
  switch (name) {
    case 'setSecret':
    case 'getSecret':
      return `${secrets}/${name}/action`;
    case 'updateSecret':
      return `${secrets}/update/action`;
    case 'deleteSecret':
      return `${secrets}/delete`;
    case 'recoverDeletedSecret':
      return `${secrets}/recover/action`;
    case 'purgeDeletedSecret':
      return `${secrets}/purge/action`;
    default:
      return `${secrets}/readMetadata/action`;
  }
}

/** `undefined` when a field has the wrong shape. */
export function parseChanges(body: Readonly<Record<string, unknown>>): VersionChanges | undefined {
  const attributes = body['attributes'] ?? {};
  const tags = body['tags'] === undefined ? undefined : stringMap(body['tags']);
  if (!isObject(attributes) || (body['tags'] !== undefined && tags === undefined)) return undefined;
  const { enabled, nbf, exp } = attributes;
  const { contentType } = body;
  const isNumber = (value: unknown) => value == null || typeof value === 'number';
  if (!isNumber(nbf) || !isNumber(exp) || (enabled != null && typeof enabled !== 'boolean')) return undefined;
  return {
    ...(typeof contentType === 'string' ? { contentType } : {}),
    ...(tags === undefined ? {} : { tags }),
    ...(typeof enabled === 'boolean' ? { enabled } : {}),
    ...(typeof nbf === 'number' ? { notBefore: nbf } : {}),
    ...(typeof exp === 'number' ? { expires: exp } : {}),
  };
}

export function bundle(
  origin: string,
  name: string,
  version: SecretVersion,
): Readonly<Record<string, unknown>> {
  return { value: version.value, ...properties(version, `${origin}/secrets/${name}/${version.id}`) };
}

/** Properties without the value; lists carry the id without the version. */
export function properties(version: SecretVersion, id: string): Readonly<Record<string, unknown>> {
  return {
    ...(version.contentType === undefined ? {} : { contentType: version.contentType }),
    id,
    attributes: {
      enabled: version.enabled,
      ...(version.notBefore === undefined ? {} : { nbf: version.notBefore }),
      ...(version.expires === undefined ? {} : { exp: version.expires }),
      created: version.created,
      updated: version.updated,
      recoveryLevel: 'CustomizedRecoverable+Purgeable',
      recoverableDays,
    },
    ...(version.tags === undefined ? {} : { tags: version.tags }),
  };
}

export function deletion(
  origin: string,
  name: string,
  { at, purgeAt }: { readonly at: number; readonly purgeAt: number },
): Readonly<Record<string, unknown>> {
  return { recoveryId: `${origin}/deletedsecrets/${name}`, deletedDate: at, scheduledPurgeDate: purgeAt };
}

export const largestPage = 25;

/** The page that the query asks for and the link to the next one; `undefined` when the page size is refused. */
export function page<T>(
  all: readonly T[],
  { origin, segments, query }: Incoming,
): { readonly value: readonly T[]; readonly nextLink: string | null } | undefined {
  const size = Number(query.get('maxresults') ?? largestPage);
  if (!Number.isInteger(size) || size < 1 || size > largestPage) return undefined;
  const start = Number(Buffer.from(query.get('$skiptoken') ?? '', 'base64url').toString() || '0');
  const next = start + size;
  const more = new URLSearchParams(query);
  more.set('$skiptoken', Buffer.from(String(next)).toString('base64url'));
  const nextLink = next < all.length ? `${origin}/${segments.join('/')}?${more.toString()}` : null;
  return { value: all.slice(start, next), nextLink };
}
