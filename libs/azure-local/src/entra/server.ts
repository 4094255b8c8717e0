import { json, type Clock, type Incoming, type Reply, type Service } from '../host/plugin.js';
import type { Application, Directory } from './state.js';
import { errorReply, refused } from './errors.js';
import {
  audienceOf,
  cloudMetadata,
  openidConfiguration,
  parseTokenRequest,
  recogniseEntra,
  type EntraOperation,
  type TokenRequest,
} from './protocol.js';
import type { SigningKey, SigningKeys } from './signing-key.js';
import { workloadIssuer, type Tokens } from './tokens.js';

export interface EntraOptions {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  /** Where the service is reached; known only once it listens. */
  readonly origin: () => string;
}

/** The token endpoint, its discovery documents, and the issuer of projected workload tokens. */
export function entraService(options: EntraOptions): Service<EntraOperation> {
  const { directory, keys, clock } = options;
  const keySet = (key: SigningKey) => json(200, { keys: [key.publicJwk] });
  return {
    name: 'entra',
    recognise: recogniseEntra,
    refuse: (status, code, message) =>
      errorReply(
        status,
        code ?? (status === 429 ? 'temporarily_unavailable' : 'server_error'),
        message ?? '',
        clock(),
      ),
    perform: async (operation, request) => {
      switch (operation.name) {
        case 'openid-configuration':
          return describeTenant(operation.tenant, directory, request.origin, clock());
        case 'keys':
          return keySet(keys.tenant);
        case 'workload-keys':
          return keySet(await keys.workload());
        case 'workload-configuration':
          return json(200, {
            issuer: workloadIssuer(options.origin()),
            jwks_uri: `${workloadIssuer(options.origin())}keys`,
            response_types_supported: ['id_token'],
            subject_types_supported: ['public'],
            id_token_signing_alg_values_supported: ['RS256'],
          });
        case 'instance-discovery':
          return describeInstance(directory, request);
        case 'cloud-metadata':
          return json(200, cloudMetadata(request.origin, directory.tenantId));
        case 'token':
          return await answerTokenRequest(operation.tenant, parseTokenRequest(request.body), options);
        case 'unknown':
          return errorReply(404, 'not_found', `Nothing at ${request.segments.join('/')}.`, clock());
      }
    },
  };
}

function isTenant(tenant: string, directory: Directory): boolean {
  return tenant === 'adfs' || tenant.toLowerCase() === directory.tenantId;
}

function describeTenant(tenant: string, directory: Directory, origin: string, now: number): Reply {
  if (!isTenant(tenant, directory)) return refused(90002, now);
  const authority = `${origin}/${tenant}`;
  return json(200, openidConfiguration(authority, tenant === 'adfs' ? authority : `${authority}/v2.0`));
}

function describeInstance(directory: Directory, { origin }: Incoming): Reply {
  const host = new URL(origin).host;
  return json(200, {
    tenant_discovery_endpoint: `${origin}/${directory.tenantId}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}

async function answerTokenRequest(
  tenant: string,
  asked: TokenRequest,
  options: EntraOptions,
): Promise<Reply> {
  const { directory, tokens, clock } = options;
  if (!isTenant(tenant, directory)) return refused(90002, clock());
  if (asked.grantType !== 'client_credentials') return refused(70003, clock());
  if (asked.clientId === '') return refused(90014, clock());
  const application = directory.application(asked.clientId);
  if (application === undefined) return refused(700016, clock());
  const failed = await refuseProof(application, asked, options);
  if (failed !== undefined) return refused(failed, clock());
  const audience = audienceOf(asked);
  if (audience === undefined || audience === '') return refused(1002012, clock());
  const seconds = tokens.lifetimeSeconds;
  return json(
    200,
    {
      token_type: 'Bearer',
      expires_in: seconds,
      ext_expires_in: seconds,
      access_token: await tokens.issue(application, audience),
    },
    { 'cache-control': 'no-store' },
  );
}

async function refuseProof(application: Application, asked: TokenRequest, options: EntraOptions) {
  if (asked.secret !== undefined)
    return options.directory.hasSecret(application, asked.secret) ? undefined : 7000215;
  if (asked.assertion === undefined) return 7000218;
  return await options.tokens.refuseAssertion(application, asked.assertion, workloadIssuer(options.origin()));
}
