import type { Incoming, Operation } from '../host/plugin.js';

/** `adfs` is the spelling of the tenant under which the clients skip instance discovery. */
export interface EntraOperation extends Operation {
  readonly name:
    | 'openid-configuration'
    | 'keys'
    | 'token'
    | 'instance-discovery'
    | 'cloud-metadata'
    | 'workload-configuration'
    | 'workload-keys'
    | 'unknown';
  readonly tenant: string;
}

export interface TokenRequest {
  readonly grantType: string;
  readonly clientId: string;
  readonly secret: string | undefined;
  readonly assertion: string | undefined;
  /** `<resource>/.default`, or the `resource` of the older endpoint. */
  readonly scope: string | undefined;
  readonly resource: string | undefined;
}

export const workloadPath = 'workload-issuer';

/** The first segments that belong to Entra besides the tenant's own id. */
export const entraRoots: readonly string[] = ['common', 'organizations', 'adfs', 'metadata', workloadPath];

export function recogniseEntra({ segments, body }: Incoming): EntraOperation {
  const [tenant = '', ...rest] = segments;
  const path = rest.join('/').toLowerCase();
  const operation = (name: EntraOperation['name'], target = ''): EntraOperation => ({ name, target, tenant });
  if (tenant === 'metadata') return operation(path === 'endpoints' ? 'cloud-metadata' : 'unknown');
  if (tenant === workloadPath) {
    if (path === 'keys') return operation('workload-keys');
    return operation(path === '.well-known/openid-configuration' ? 'workload-configuration' : 'unknown');
  }
  if (path === 'discovery/instance') return operation('instance-discovery');
  if (/^(v2\.0\/)?\.well-known\/openid-configuration$/.test(path)) return operation('openid-configuration');
  if (/^discovery\/(v2\.0\/)?keys$/.test(path)) return operation('keys');
  if (/^oauth2\/(v2\.0\/)?token$/.test(path)) return operation('token', parseTokenRequest(body).clientId);
  return operation('unknown');
}

export function parseTokenRequest(body: Buffer): TokenRequest {
  const form = new URLSearchParams(body.toString('utf8'));
  const field = (name: string) => form.get(name) ?? undefined;
  return {
    grantType: field('grant_type') ?? '',
    clientId: field('client_id') ?? '',
    secret: field('client_secret'),
    assertion: field('client_assertion'),
    scope: field('scope'),
    resource: field('resource'),
  };
}

/** The audience a token is asked for; `undefined` when the scope is none that client credentials may ask. */
export function audienceOf({ scope, resource }: TokenRequest): string | undefined {
  // OpenID scopes ride along with every request of MSAL; the resource is the one that ends in /.default.
  const scopes = (scope ?? '').split(' ').filter((part) => part.endsWith('/.default'));
  const [only] = scopes;
  if (scopes.length === 1 && only !== undefined) return only.slice(0, -'/.default'.length);
  return scope === undefined ? resource : undefined;
}

export function openidConfiguration(authority: string, issuer: string): Readonly<Record<string, unknown>> {
  const v2 = authority.endsWith('/adfs') ? '' : 'v2.0/';
  return {
    issuer,
    authorization_endpoint: `${authority}/oauth2/${v2}authorize`,
    token_endpoint: `${authority}/oauth2/${v2}token`,
    jwks_uri: `${authority}/discovery/${v2}keys`,
    end_session_endpoint: `${authority}/oauth2/${v2}logout`,
    response_types_supported: ['token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
  };
}

/** What the Azure CLI reads to learn a cloud. */
export function cloudMetadata(origin: string, tenant: string): Readonly<Record<string, unknown>> {
  return {
    name: 'AzureLocal',
    portal: origin,
    galleryEndpoint: origin,
    graphEndpoint: origin,
    graph: origin,
    graphAudience: origin,
    resourceManager: origin,
    sqlManagement: origin,
    batch: 'https://batch.core.windows.net/',
    media: 'https://rest.media.azure.net',
    authentication: {
      // The ADFS spelling keeps the CLI from asking login.microsoftonline.com about the authority.
      loginEndpoint: `${origin}/adfs`,
      audiences: ['https://management.azure.com/'],
      tenant,
      identityProvider: 'ADFS',
    },
    suffixes: { keyVaultDns: 'localhost', storage: 'localhost', acrLoginServer: 'localhost' },
  };
}
