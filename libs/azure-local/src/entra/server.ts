import { json, type Clock, type Incoming, type Reply, type Service } from '../host/plugin.js';
import { cloudMetadata } from './cloud-metadata.js';
import { instanceDiscovery, openidConfiguration } from './discovery.js';
import { errorReply, refused } from './errors.js';
import { answerManagedIdentity } from './managed-identity.js';
import { recogniseEntra, type EntraOperation } from './protocol.js';
import type { SigningKey, SigningKeys } from './signing-key.js';
import type { Directory } from './state.js';
import { answerTokenRequest, occasionOf, refuseTenant } from './token-endpoint.js';
import { workloadIssuer, type Tokens } from './tokens.js';

export interface EntraOptions {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  /** Where the service is reached; known only once it listens. */
  readonly origin: () => string;
}

/** The token endpoint, its discovery documents, managed identities, and the issuer of projected workload tokens. */
export function entraService(options: EntraOptions): Service<EntraOperation> {
  const { clock } = options;
  return {
    name: 'entra',
    recognise: recogniseEntra,
    refuse: (status, code, message) =>
      errorReply(
        status,
        code ?? (status === 429 ? 'temporarily_unavailable' : 'server_error'),
        message ?? '',
        { now: clock() },
      ),
    perform: async (operation, request) => {
      switch (operation.name) {
        case 'token':
          return await answerTokenRequest(operation, request, options);
        case 'managed-identity':
          return await answerManagedIdentity(request, options);
        case 'unknown':
          return notFound(request, clock());
        default:
          return ['GET', 'HEAD', 'OPTIONS'].includes(request.method)
            ? await answerDocument(operation, request, options)
            : errorReply(
                405,
                'invalid_request',
                'This is a document; use GET.',
                occasionOf(request, clock()),
              );
      }
    },
  };
}

async function answerDocument(
  { name, tenant, flavour }: EntraOperation,
  request: Incoming,
  { directory, keys, clock, origin }: EntraOptions,
): Promise<Reply> {
  const { tenantId } = directory;
  const noTenant = refuseTenant(tenant, directory);
  switch (name) {
    case 'openid-configuration':
      if (noTenant !== undefined) return refused(noTenant, { tenant }, occasionOf(request, clock()));
      return json(200, openidConfiguration(request.origin, tenant, flavour, tenantId));
    case 'keys':
      if (noTenant !== undefined) return refused(noTenant, { tenant }, occasionOf(request, clock()));
      return keySet(keys.tenant);
    case 'instance-discovery':
      return json(200, instanceDiscovery(request.origin, tenantId));
    case 'cloud-metadata':
      return json(200, cloudMetadata(request.origin, tenantId, request.query.get('api-version') ?? ''));
    case 'workload-keys':
      return keySet(await keys.workload());
    case 'workload-configuration':
      return json(200, {
        issuer: workloadIssuer(origin()),
        jwks_uri: `${workloadIssuer(origin())}keys`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    default:
      return notFound(request, clock());
  }
}

function keySet(key: SigningKey): Reply {
  return json(200, { keys: [key.publicJwk] });
}

function notFound(request: Incoming, now: number): Reply {
  return errorReply(404, 'not_found', `Nothing at ${request.segments.join('/')}.`, occasionOf(request, now));
}
