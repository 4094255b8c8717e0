import { json, type Reply } from '../host/plugin.js';

/** The body of Resource Manager and of the AI data plane alike. */
export function serviceError(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } });
}

export function missingApiVersion(): Reply {
  return serviceError(
    400,
    'MissingApiVersionParameter',
    'The api-version query parameter (?api-version=) is required for all requests.',
  );
}

export function localAuthDisabled(): Reply {
  return serviceError(400, 'BadRequest', 'Failed to list key. disableLocalAuth is set to be true');
}

/** Resource Manager's challenge is spelled `authorization_uri`, Key Vault's is not. */
export function unauthenticated(
  authority: string,
  why: 'missing' | 'invalid' | 'expired' | 'wrong-audience',
): Reply {
  const [code, text] = {
    missing: ['AuthenticationFailed', "Authentication failed. The 'Authorization' header is missing."],
    invalid: ['InvalidAuthenticationToken', 'The access token is invalid.'],
    expired: [
      'ExpiredAuthenticationToken',
      'The access token expiry UTC time is earlier than current UTC time.',
    ],
    'wrong-audience': [
      'InvalidAuthenticationTokenAudience',
      'The access token has been obtained for wrong audience.',
    ],
  }[why] as [string, string];
  const challenge = `Bearer authorization_uri="${authority}", error="invalid_token", error_description="${text}"`;
  return { ...serviceError(401, code, text), headers: { 'www-authenticate': challenge } };
}

export function unauthorizedFor(clientId: string, objectId: string, action: string, scope: string): Reply {
  return serviceError(
    403,
    'AuthorizationFailed',
    `The client '${clientId}' with object id '${objectId}' does not have authorization to perform action ` +
      `'${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
  );
}

export function subscriptionNotFound(id: string): Reply {
  return serviceError(404, 'SubscriptionNotFound', `The subscription '${id}' could not be found.`);
}

export function groupNotFound(name: string): Reply {
  return serviceError(404, 'ResourceGroupNotFound', `Resource group '${name}' could not be found.`);
}

export function accountNotFound(name: string, group: string): Reply {
  const resource = `Microsoft.CognitiveServices/accounts/${name}`;
  return serviceError(
    404,
    'ResourceNotFound',
    `The Resource '${resource}' under resource group '${group}' was not found.`,
  );
}

export function throttled(
  kind: string,
  subscription: string,
  clientId: string,
  retryAfterSeconds: number,
): Reply {
  const reply = serviceError(
    429,
    'SubscriptionRequestsThrottled',
    `Number of '${kind}' requests for subscription '${subscription}' actor '${clientId}' exceeded. ` +
      `Please try again after '${retryAfterSeconds}' seconds after additional tokens are available.`,
  );
  return { ...reply, headers: { 'retry-after': String(retryAfterSeconds) } };
}

export function badKey(): Reply {
  return serviceError(
    401,
    '401',
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an ' +
      'active subscription and use a correct regional API endpoint for your resource.',
  );
}

export function keysDisabled(): Reply {
  return serviceError(
    403,
    'AuthenticationTypeDisabled',
    'Key based authentication is disabled for this resource.',
  );
}

export function principalDenied(): Reply {
  return serviceError(401, 'PermissionDenied', 'Principal does not have access to API/Operation.');
}
