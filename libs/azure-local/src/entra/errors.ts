import { randomUUID } from 'node:crypto';
import { json, type Reply } from '../host/plugin.js';

/** Entra's refusals by their AADSTS number; the SDKs show number and text. */
const refusals = {
  70003: [400, 'unsupported_grant_type', 'The app requested an unsupported grant type.'],
  90002: [400, 'invalid_request', 'Tenant not found. Check the tenant id in the authority.'],
  90014: [400, 'invalid_request', 'The required field client_id is missing from the credential.'],
  700016: [400, 'unauthorized_client', 'Application with that identifier was not found in the directory.'],
  1002012: [
    400,
    'invalid_scope',
    'The provided scope is not valid: client credentials ask for one <resource>/.default.',
  ],
  7000215: [401, 'invalid_client', 'Invalid client secret provided.'],
  7000218: [401, 'invalid_client', "The request body must contain 'client_assertion' or 'client_secret'."],
  700211: [
    400,
    'invalid_client',
    'No matching federated identity record found for presented assertion issuer.',
  ],
  700212: [
    400,
    'invalid_client',
    'No matching federated identity record found for presented assertion audience.',
  ],
  700213: [
    400,
    'invalid_client',
    'No matching federated identity record found for presented assertion subject.',
  ],
  700024: [400, 'invalid_client', 'Client assertion is not within its valid time range.'],
  700027: [400, 'invalid_client', 'Client assertion failed signature validation.'],
} as const satisfies Record<number, readonly [status: number, error: string, text: string]>;

export type EntraRefusal = keyof typeof refusals;

export function refused(code: EntraRefusal, now: number): Reply {
  const [status, error, text] = refusals[code];
  return errorReply(status, error, `AADSTS${code}: ${text}`, now, [code]);
}

export function errorReply(
  status: number,
  error: string,
  text: string,
  now: number,
  codes: readonly number[] = [],
): Reply {
  return json(status, {
    error,
    error_description: text,
    error_codes: codes,
    timestamp: new Date(now).toISOString().replace('T', ' ').replace(/\.\d+/, ''),
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
  });
}
