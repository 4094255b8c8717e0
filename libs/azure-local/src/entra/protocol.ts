import type { Incoming, Operation } from '../host/plugin.js';

/** How a tenant's endpoints are spelled: `adfs` is the tenant under which clients skip instance discovery. */
export type Flavour = 'v1' | 'v2' | 'adfs';

export interface EntraOperation extends Operation {
  readonly name:
    | 'openid-configuration'
    | 'keys'
    | 'token'
    | 'instance-discovery'
    | 'cloud-metadata'
    | 'managed-identity'
    | 'workload-configuration'
    | 'workload-keys'
    | 'unknown';
  readonly tenant: string;
  readonly flavour: Flavour;
}

export const workloadPath = 'workload-issuer';
/** Where App Service keeps the endpoint of its managed identities. */
const appServicePath = 'msi';

/** The first segments that belong to Entra besides the tenant's own id. */
export const entraRoots: readonly string[] = [
  'common',
  'organizations',
  'consumers',
  'adfs',
  'metadata',
  appServicePath,
  workloadPath,
];

export function recogniseEntra(request: Incoming): EntraOperation {
  const { segments, query } = request;
  const [first = '', ...rest] = segments;
  const tenant = first.toLowerCase();
  const path = rest.join('/').toLowerCase();
  const flavour = tenant === 'adfs' ? 'adfs' : /(^|\/)v2\.0\//.test(path) ? 'v2' : 'v1';
  const as = (name: EntraOperation['name'], target = ''): EntraOperation => ({
    name,
    target,
    tenant: first,
    flavour,
  });
  const managed = as('managed-identity', query.get('client_id') ?? '');
  if (tenant === 'metadata') {
    if (path === 'identity/oauth2/token') return managed;
    return as(path === 'endpoints' ? 'cloud-metadata' : 'unknown');
  }
  if (tenant === appServicePath) return path === 'token' ? managed : as('unknown');
  if (tenant === workloadPath) {
    if (path === 'keys') return as('workload-keys');
    return as(path === '.well-known/openid-configuration' ? 'workload-configuration' : 'unknown');
  }
  if (path === 'discovery/instance') return as('instance-discovery');
  if (/^(v2\.0\/)?\.well-known\/openid-configuration$/.test(path)) return as('openid-configuration');
  if (/^discovery\/(v2\.0\/)?keys$/.test(path)) return as('keys');
  if (/^oauth2\/(v2\.0\/)?token$/.test(path)) return as('token', parseTokenRequest(request).clientId);
  return as('unknown');
}

export interface TokenRequest {
  readonly grantType: string;
  readonly clientId: string;
  readonly secret: string | undefined;
  readonly assertion: string | undefined;
  readonly assertionType: string | undefined;
  /** `<resource>/.default`, or the `resource` of the older endpoint. */
  readonly scope: string | undefined;
  readonly resource: string | undefined;
  /** What a challenge for other claims asked for; every new token satisfies it. */
  readonly claims: string | undefined;
}

export const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The form of a token request; the client may name itself in an `Authorization: Basic` header instead. */
export function parseTokenRequest({ body, headers }: Pick<Incoming, 'body' | 'headers'>): TokenRequest {
  const form = new URLSearchParams(body.toString('utf8'));
  const field = (name: string) => form.get(name) ?? undefined;
  const basic = basicOf(headers.authorization);
  return {
    grantType: field('grant_type') ?? '',
    clientId: field('client_id') ?? basic?.clientId ?? '',
    secret: field('client_secret') ?? basic?.secret,
    assertion: field('client_assertion'),
    assertionType: field('client_assertion_type'),
    scope: field('scope'),
    resource: field('resource'),
    claims: field('claims'),
  };
}

function basicOf(authorization: string | undefined) {
  const encoded = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [clientId = '', ...secret] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return { clientId: decoded(clientId), secret: decoded(secret.join(':')) };
}

/** Both halves are form-encoded before they are joined (RFC 6749); a stray `%` stays as it is. */
function decoded(text: string): string {
  return new URLSearchParams(`text=${text.replaceAll('&', '%26')}`).get('text') ?? text;
}

/** The resources that a scope asks whole; the OpenID scopes that ride along with every request of MSAL are none. */
export function resourcesOf(scope: string): readonly string[] {
  const suffix = '/.default';
  return scope
    .split(' ')
    .filter((part) => part.endsWith(suffix) && part !== suffix)
    .map((part) => part.slice(0, -suffix.length));
}
