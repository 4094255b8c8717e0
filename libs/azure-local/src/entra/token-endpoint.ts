import { json, type Clock, type Incoming, type Reply } from '../host/plugin.js';
import { isShared } from './discovery.js';
import { refused, type Occasion, type Refused } from './errors.js';
import {
  jwtBearer,
  parseTokenRequest,
  resourcesOf,
  type EntraOperation,
  type Flavour,
  type TokenRequest,
} from './protocol.js';
import type { Application, Directory } from './state.js';
import { workloadIssuer, type Tokens } from './tokens.js';

export interface TokenEndpointOptions {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly clock: Clock;
  /** The emulator's own address, which its issuers are named after. */
  readonly origin: () => string;
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Why there is no such tenant here; `undefined` when there is. */
export function refuseTenant(tenant: string, { tenantId }: Directory): Refused | undefined {
  const known = tenant.toLowerCase();
  if (known === 'adfs' || known === tenantId || isShared(known)) return undefined;
  return { code: guid.test(tenant) || tenant.includes('.') ? 90002 : 900023 };
}

/** The grant `client_credentials`, with a secret or an assertion. */
export async function answerTokenRequest(
  { tenant, flavour }: EntraOperation,
  request: Incoming,
  options: TokenEndpointOptions,
): Promise<Reply> {
  const asked = parseTokenRequest(request);
  const { clock, tokens } = options;
  const granted = await grant(tenant, flavour, request.method, asked, options);
  if ('code' in granted) {
    return refused(granted, { tenant, clientId: asked.clientId }, occasionOf(request, clock()));
  }
  const { application, audience } = granted;
  const proof = asked.secret === undefined ? 'assertion' : 'secret';
  const token = await tokens.issue(application, audience, { origin: options.origin(), proof });
  const reply = describe(token, audience, flavour, Math.floor(clock() / 1000), tokens.lifetimeSeconds);
  return json(200, reply, { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' });
}

/** When the client sent an id of its own, the answer is correlated with it. */
export function occasionOf({ headers }: Incoming, now: number): Occasion {
  const own = headers['client-request-id'];
  return { now, correlationId: typeof own === 'string' && guid.test(own) ? own : undefined };
}

/** The older endpoint writes its numbers as texts, and says when and for what. */
function describe(token: string, audience: string, flavour: Flavour, now: number, seconds: number) {
  if (flavour !== 'v1') {
    return { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: token };
  }
  return {
    token_type: 'Bearer',
    expires_in: String(seconds),
    ext_expires_in: String(seconds),
    expires_on: String(now + seconds),
    not_before: String(now),
    resource: audience,
    access_token: token,
  };
}

async function grant(
  tenant: string,
  flavour: Flavour,
  method: string,
  asked: TokenRequest,
  options: TokenEndpointOptions,
): Promise<{ readonly application: Application; readonly audience: string } | Refused> {
  if (method !== 'POST') return { code: 900561, given: method };
  const noTenant = refuseTenant(tenant, options.directory);
  if (noTenant !== undefined) return noTenant;
  if (asked.grantType === '') return { code: 900144, given: 'grant_type' };
  if (asked.grantType !== 'client_credentials') return { code: 70003, given: asked.grantType };
  if (asked.clientId === '') return { code: 900144, given: 'client_id' };
  const audience = audienceOf(asked, flavour);
  if (typeof audience !== 'string') return audience;
  const application = options.directory.application(asked.clientId);
  if (application === undefined) return { code: 700016 };
  // Every application of the emulator is one of a single tenant.
  if (isShared(tenant)) return { code: tenant.toLowerCase() === 'consumers' ? 90130 : 50194 };
  return (await refuseProof(application, asked, options)) ?? { application, audience };
}

function audienceOf({ scope, resource }: TokenRequest, flavour: Flavour): string | Refused {
  if (flavour === 'v1' || (flavour === 'adfs' && scope === undefined)) {
    return resource === undefined || resource === '' ? { code: 900144, given: 'resource' } : resource;
  }
  if (resource !== undefined && flavour === 'v2') return { code: 901002 };
  if (scope === undefined || scope === '') return { code: 900144, given: 'scope' };
  const [only, ...others] = resourcesOf(scope);
  if (others.length > 0) return { code: 28000, given: scope };
  return only ?? { code: 1002012, given: scope };
}

async function refuseProof(
  application: Application,
  { secret, assertion, assertionType }: TokenRequest,
  { directory, tokens, origin }: TokenEndpointOptions,
): Promise<Refused | undefined> {
  if (secret !== undefined) return directory.hasSecret(application, secret) ? undefined : { code: 7000215 };
  if (assertion === undefined) return { code: 7000216 };
  if (assertionType === undefined) return { code: 900144, given: 'client_assertion_type' };
  if (assertionType !== jwtBearer) return { code: 90011, given: assertionType };
  return await tokens.refuseAssertion(application, assertion, workloadIssuer(origin()));
}
