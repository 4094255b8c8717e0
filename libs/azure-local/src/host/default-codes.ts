import type { ServiceName } from './plugin.js';

const resourceManager: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'InvalidAuthenticationToken',
  403: 'AuthorizationFailed',
  404: 'ResourceNotFound',
  408: 'RequestTimeout',
  409: 'RequestConflict',
  412: 'PreconditionFailed',
  413: 'RequestEntityTooLarge',
  500: 'InternalServerError',
  502: 'BadGateway',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

const keyVault: Readonly<Record<number, string>> = {
  400: 'BadParameter',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'SecretNotFound',
  408: 'RequestTimeout',
  409: 'Conflict',
  413: 'RequestBodyTooLarge',
  500: 'InternalServerError',
  503: 'ServiceUnavailable',
  504: 'GatewayTimeout',
};

const entra: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'invalid_client',
  403: 'access_denied',
  404: 'not_found',
  413: 'invalid_request',
  500: 'server_error',
  503: 'temporarily_unavailable',
  504: 'temporarily_unavailable',
};

const codes: Readonly<Partial<Record<ServiceName, Readonly<Record<number, string>>>>> = {
  arm: resourceManager,
  'key-vault': keyVault,
  entra,
};

/** The error code that clients of the service know with such a status; the service's own choice when `undefined`. */
export function defaultCode(service: ServiceName, status: number): string | undefined {
  return codes[service]?.[status];
}
