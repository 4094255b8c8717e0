import type { Flavour } from './protocol.js';

type Document = Readonly<Record<string, unknown>>;

/** Tenants of everybody: their documents stand for any tenant, and hold this in place of its id. */
const anyTenant = '{tenantid}';
/** The tenant of personal accounts. */
const consumersId = '9188040d-6c67-4c5b-b112-36a304b66dad';

/** Not one tenant: what is said for it stands for several. */
export function isShared(tenant: string): boolean {
  return ['common', 'organizations', 'consumers'].includes(tenant.toLowerCase());
}

/** The issuer of tokens of that version, as the discovery document of the same version names it. */
export function issuerOf(origin: string, tenantId: string, version: 1 | 2): string {
  return version === 1 ? `https://sts.windows.net/${tenantId}/` : `${origin}/${tenantId}/v2.0`;
}

/**
 * What a validator reads: endpoints and issuer of one version belong together. `tenant` is as the client spelled it,
 * which MSAL compares; the issuer names the tenant by its id.
 */
export function openidConfiguration(
  origin: string,
  tenant: string,
  flavour: Flavour,
  tenantId: string,
): Document {
  const authority = `${origin}/${tenant}`;
  const version = flavour === 'v2' ? 'v2.0/' : '';
  return {
    token_endpoint: `${authority}/oauth2/${version}token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${flavour === 'v1' ? `${origin}/common` : authority}/discovery/${version}keys`,
    response_modes_supported: ['query', 'fragment', 'form_post'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['token'],
    scopes_supported: ['openid'],
    issuer:
      flavour === 'adfs' ? authority : issuerOf(origin, idIn(tenant, tenantId), flavour === 'v2' ? 2 : 1),
    request_uri_parameter_supported: false,
    authorization_endpoint: `${authority}/oauth2/${version}authorize`,
    end_session_endpoint: `${authority}/oauth2/${version}logout`,
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'tid', 'ver', 'oid'],
    tenant_region_scope: null,
    cloud_instance_name: new URL(origin).host,
  };
}

/** What MSAL reads to learn which hosts are one authority. */
export function instanceDiscovery(origin: string, tenantId: string): Document {
  const { host } = new URL(origin);
  return {
    tenant_discovery_endpoint: `${origin}/${tenantId}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

function idIn(tenant: string, tenantId: string): string {
  if (tenant.toLowerCase() === 'consumers') return consumersId;
  return isShared(tenant) ? anyTenant : tenantId;
}
