import { randomUUID } from 'node:crypto';
import { json, type Reply } from '../host/plugin.js';

const federation =
  'Check your federated identity credential Subject, Audience and Issuer against the presented assertion. ' +
  'https://learn.microsoft.com/entra/workload-id/workload-identity-federation';

type Row<Detail> = readonly [status: number, error: string, text: (detail: Detail) => string];

/** What the texts name. Never a secret: these come back to the client and into its logs. */
export interface RefusalDetail {
  readonly tenant: string;
  readonly clientId: string;
  /** The field, method, scope, issuer, subject or time that a refusal is about. */
  readonly given: string;
}

/** Entra's refusals by their AADSTS number; the SDKs show number and text, and people search for both. */
const refusals = {
  50194: [
    400,
    'unauthorized_client',
    ({ clientId }) =>
      `Application '${clientId}' is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant.`,
  ],
  70003: [
    400,
    'unsupported_grant_type',
    ({ given }) => `The app requested an unsupported grant type '${given}'.`,
  ],
  90002: [
    400,
    'invalid_request',
    ({ tenant }) =>
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  ],
  90011: [400, 'invalid_request', ({ given }) => `Unexpected client assertion type '${given}'.`],
  90130: [
    400,
    'invalid_request',
    ({ clientId }) =>
      `Application '${clientId}' is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.`,
  ],
  900023: [
    400,
    'invalid_request',
    ({ tenant }) =>
      `Specified tenant identifier '${tenant}' is neither a valid DNS name, nor a valid external domain.`,
  ],
  900144: [
    400,
    'invalid_request',
    ({ given }) => `The request body must contain the following parameter: '${given}'.`,
  ],
  900561: [
    405,
    'invalid_request',
    ({ given }) => `The endpoint only accepts POST requests. Received a ${given} request.`,
  ],
  901002: [400, 'invalid_request', () => "The 'resource' request parameter is not supported."],
  28000: [
    400,
    'invalid_scope',
    ({ given }) =>
      `Provided value for the input parameter scope is not valid because it contains more than one resource. Scope ${given} is not valid.`,
  ],
  1002012: [
    400,
    'invalid_scope',
    ({ given }) =>
      `The provided value for scope ${given} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
  ],
  700016: [
    400,
    'unauthorized_client',
    ({ clientId, tenant }) =>
      `Application with identifier '${clientId}' was not found in the directory '${tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
  ],
  7000215: [
    401,
    'invalid_client',
    ({ clientId }) =>
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`,
  ],
  7000216: [
    401,
    'invalid_client',
    () =>
      "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  ],
  700211: [
    401,
    'invalid_client',
    ({ given }) =>
      `No matching federated identity record found for presented assertion issuer '${given}'. ${federation}`,
  ],
  700212: [
    401,
    'invalid_client',
    ({ given }) =>
      `No matching federated identity record found for presented assertion audience '${given}'. ${federation}`,
  ],
  700213: [
    401,
    'invalid_client',
    ({ given }) =>
      `No matching federated identity record found for presented assertion subject '${given}'. ${federation}`,
  ],
  700024: [
    401,
    'invalid_client',
    ({ given }) =>
      `Client assertion is not within its valid time range. ${given}. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .`,
  ],
  700027: [401, 'invalid_client', () => 'Client assertion failed signature validation.'],
} as const satisfies Record<number, Row<RefusalDetail>>;

export type EntraRefusal = keyof typeof refusals;

/** Which refusal, and what it is about. */
export interface Refused {
  readonly code: EntraRefusal;
  readonly given?: string;
}

/** When a refusal is given, and the ids by which support would find it; random unless given. */
export interface Occasion {
  readonly now: number;
  /** As the client asked for; its own when it sent `client-request-id`. */
  readonly correlationId?: string | undefined;
  readonly newId?: () => string;
}

export function refused(
  { code, given = '' }: Refused,
  about: Partial<Omit<RefusalDetail, 'given'>>,
  occasion: Occasion,
): Reply {
  const [status, error, text] = refusals[code];
  const said = text({ tenant: '', clientId: '', ...about, given });
  return errorReply(status, error, `AADSTS${code}: ${said}`, occasion, [code]);
}

/** The body of every error, with the tail that Entra puts behind its texts. */
export function errorReply(
  status: number,
  error: string,
  text: string,
  { now, correlationId, newId = randomUUID }: Occasion,
  codes: readonly number[] = [],
): Reply {
  const timestamp = new Date(now).toISOString().replace('T', ' ').replace(/\.\d+/, '');
  const traceId = newId();
  const correlated = correlationId ?? newId();
  const tail = `Trace ID: ${traceId} Correlation ID: ${correlated} Timestamp: ${timestamp}`;
  const [code] = codes;
  return json(
    status,
    {
      error,
      error_description: `${text} ${tail}`,
      error_codes: codes,
      timestamp,
      trace_id: traceId,
      correlation_id: correlated,
      ...(code === undefined ? {} : { error_uri: `https://login.microsoftonline.com/error?code=${code}` }),
    },
    { 'cache-control': 'no-store, no-cache', pragma: 'no-cache', 'x-ms-request-id': traceId },
  );
}
