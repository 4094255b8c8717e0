import { json, type Reply } from '../host/plugin.js';

/** The body that most of the data plane uses; its codes are sometimes the status as text. */
export function serviceError(status: number, code: string, message: string): Reply {
  return json(status, { error: { code, message } });
}

export function accountUnknown(): Reply {
  return serviceError(404, '404', 'Resource not found');
}

export function badRequest(message: string): Reply {
  return serviceError(400, 'InvalidRequest', message);
}

export function badKey(): Reply {
  return serviceError(
    401,
    '401',
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an ' +
      'active subscription and use a correct regional API endpoint for your resource.',
  );
}

/** The gateway's flat body, unlike all others: it speaks before any service does. */
export function badToken(): Reply {
  return json(401, {
    statusCode: 401,
    message:
      'Unauthorized. Access token is missing, invalid, audience is incorrect ' +
      '(https://cognitiveservices.azure.com), or have expired.',
  });
}

export function subdomainNeeded(): Reply {
  return serviceError(
    400,
    'BadRequest',
    'Please provide a custom subdomain for token authentication, otherwise API key is required.',
  );
}

export function keysDisabled(): Reply {
  return serviceError(
    403,
    'AuthenticationTypeDisabled',
    'Key based authentication is disabled for this resource.',
  );
}

/** OpenAI tells which data action is missing; the other services do not. */
export function principalDenied(
  objectId: string,
  needed?: { readonly action: string; readonly operation: string },
): Reply {
  const text =
    needed === undefined
      ? 'Principal does not have access to API/Operation.'
      : `The principal \`${objectId}\` lacks the required data action \`${needed.action}\` to perform ` +
        `\`${needed.operation}\` operation.`;
  return serviceError(401, 'PermissionDenied', text);
}
