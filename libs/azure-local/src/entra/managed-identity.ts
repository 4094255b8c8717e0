import { json, type Clock, type Incoming, type Reply } from '../host/plugin.js';
import type { Application, Directory } from './state.js';
import type { Tokens } from './tokens.js';

export interface ManagedIdentityOptions {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly origin: () => string;
}

/** Of the machine itself: what a request without an id asks for. The emulator's default application. */
const systemAssigned = 'default';

/**
 * Tokens without a proof, for programs on the machine: the endpoint of a virtual machine
 * (`/metadata/identity/oauth2/token`) and that of App Service (`/msi/token`). Only applications that are declared
 * as managed identities are had this way, so that a least-privilege set-up cannot be gone round.
 */
export async function answerManagedIdentity(
  request: Incoming,
  { directory, tokens, clock, origin }: ManagedIdentityOptions,
): Promise<Reply> {
  const { headers, query, method, segments } = request;
  if (method !== 'GET') return refusal(405, 'invalid_request', `${method} is not supported; use GET.`);
  const isAppService = segments[0]?.toLowerCase() === 'msi';
  const denied = isAppService ? refuseAppService(headers) : refuseMachine(headers);
  if (denied !== undefined) return denied;
  const resource = query.get('resource') ?? '';
  if (resource === '') {
    return refusal(400, 'invalid_request', "Required query variable 'resource' is missing");
  }
  const application = identityIn(directory, query);
  if (application === undefined) return refusal(400, 'invalid_request', 'Identity not found');
  const token = await tokens.issue(application, resource, { origin: origin(), proof: 'assertion' });
  const now = Math.floor(clock() / 1000);
  const seconds = String(tokens.lifetimeSeconds);
  const both = {
    access_token: token,
    client_id: application.clientId,
    expires_on: String(now + tokens.lifetimeSeconds),
    not_before: String(now),
    resource,
    token_type: 'Bearer',
  };
  return json(200, isAppService ? both : { ...both, expires_in: seconds, ext_expires_in: seconds });
}

/** A header that no browser sends along: a page that a person opens gets no token. */
function refuseMachine({ metadata }: Incoming['headers']): Reply | undefined {
  if (typeof metadata === 'string' && metadata.toLowerCase() === 'true') return undefined;
  return refusal(400, 'invalid_request', 'Required metadata header not specified');
}

/** The platform gives each program a value for this header; the emulator asks only that there is one. */
function refuseAppService(headers: Incoming['headers']): Reply | undefined {
  const given = headers['x-identity-header'];
  if (typeof given === 'string' && given !== '') return undefined;
  return refusal(401, 'unauthorized_client', 'The header X-IDENTITY-HEADER is missing.');
}

function identityIn(directory: Directory, query: URLSearchParams): Application | undefined {
  const all = directory.applications();
  const named = [
    [query.get('client_id'), ({ clientId }: Application) => clientId],
    [query.get('object_id') ?? query.get('principal_id'), ({ objectId }: Application) => objectId],
    // The last segment of a user-assigned identity's resource id is its name.
    [(query.get('msi_res_id') ?? query.get('mi_res_id'))?.split('/').at(-1), ({ name }: Application) => name],
  ] as const;
  const [wanted, of] = named.find(([value]) => value != null) ?? [];
  if (wanted == null || of === undefined) return all.find(({ name }) => name === systemAssigned);
  return all.find(
    (one) =>
      of(one).toLowerCase() === wanted.toLowerCase() && (one.managedIdentity || one.name === systemAssigned),
  );
}

function refusal(status: number, error: string, text: string): Reply {
  return json(status, { error, error_description: text });
}
