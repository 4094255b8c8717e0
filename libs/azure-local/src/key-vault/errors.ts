import { json, type Reply } from '../host/plugin.js';

export function vaultError(status: number, code: string, message: string, inner?: string): Reply {
  return json(status, {
    error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) },
  });
}

export function secretNotFound(name: string): Reply {
  return vaultError(
    404,
    'SecretNotFound',
    `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret ` +
      `you may be able to recover it using the correct recovery command.`,
  );
}

export function secretDisabled(): Reply {
  return vaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled');
}

export function secretDeleted(name: string): Reply {
  const text = `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`;
  return vaultError(409, 'Conflict', text, 'ObjectIsDeletedButRecoverable');
}

export function writeInProgress(name: string): Reply {
  return vaultError(409, 'Conflict', `Another write to secret ${name} is in progress; try again after it.`);
}

export function forbidden(caller: string, action: string, resource: string): Reply {
  const text = `Caller is not authorized to perform action on resource.\r\nCaller: ${caller}\r\nAction: '${action}'\r\nResource: '${resource}'\r\nAssignment: (not found)\r\n`;
  return vaultError(403, 'Forbidden', text, 'ForbiddenByRbac');
}

/** The challenge that teaches a client where to get its token. The JS SDK reads `authorization`, nothing else. */
export function unauthorized(authority: string, why: string): Reply {
  const reply = vaultError(
    401,
    'Unauthorized',
    `AKV10000: Request is missing a Bearer or PoP token. ${why}`.trim(),
  );
  const challenge = `Bearer authorization="${authority}", resource="https://vault.azure.net"`;
  return { ...reply, headers: { 'www-authenticate': challenge } };
}

export function throttled(retryAfterSeconds: number): Reply {
  const reply = vaultError(
    429,
    'Throttled',
    'Request was not processed because too many requests were received.',
  );
  return { ...reply, headers: { 'retry-after': String(retryAfterSeconds) } };
}
