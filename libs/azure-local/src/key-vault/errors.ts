import { randomUUID } from 'node:crypto';
import { json, type Reply } from '../host/plugin.js';
import { served } from './headers.js';

/** The audience of tokens for a vault, spelled exactly so: the service refuses it with a trailing slash. */
export const vaultResource = 'https://vault.azure.net';
/** The vault's own application id in Entra, the audience of tokens whose version is 2. */
export const vaultApplicationId = 'cfa8b339-82a2-471a-a3c9-0fc0be7a4093';

/** The service's error body; `inner` tells apart what shares a code. */
export function vaultError(status: number, code: string, message: string, inner?: string): Reply {
  return json(status, {
    error: { code, message, ...(inner === undefined ? {} : { innererror: { code: inner } }) },
  });
}

export function badParameter(message: string): Reply {
  return vaultError(400, 'BadParameter', message);
}

export function secretNotFound(name: string): Reply {
  return vaultError(
    404,
    'SecretNotFound',
    `A secret with (name/id) ${name} was not found in this key vault. If you recently deleted this secret ` +
      `you may be able to recover it using the correct recovery command.`,
  );
}

export function deletedSecretNotFound(name: string): Reply {
  return vaultError(404, 'SecretNotFound', `Deleted Secret not found: ${name}`);
}

export function secretDisabled(): Reply {
  return vaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled');
}

export function secretDeleted(name: string): Reply {
  const text = `Secret ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged.`;
  return vaultError(409, 'Conflict', text, 'ObjectIsDeletedButRecoverable');
}

export function secretExists(id: string): Reply {
  return vaultError(
    409,
    'Conflict',
    `There was a conflict restoring the secret '${id}': a secret of that name is in this vault.`,
  );
}

export function writeInProgress(name: string): Reply {
  return vaultError(409, 'Conflict', `Another write to secret ${name} is in progress; try again after it.`);
}

export function noSuchPath(): Reply {
  return vaultError(
    404,
    'NotFound',
    'Nothing is there. The emulated vault has secrets: no keys, certificates, storage accounts.',
  );
}

export function methodNotAllowed(method: string): Reply {
  return vaultError(405, 'MethodNotAllowed', `The HTTP method ${method} is not allowed on this resource.`);
}

/** Who was refused what, on which vault; each line of the text is one that people search their logs for. */
export interface Denial {
  readonly caller: { readonly clientId: string; readonly objectId: string; readonly tenantId: string };
  readonly action: string;
  readonly resource: string;
  readonly vault: string;
  readonly location: string;
}

export function forbidden({ caller, action, resource, vault, location }: Denial): Reply {
  const { clientId, objectId, tenantId } = caller;
  // The service spells all but the names in lower case, unlike Resource Manager.
  const spelled = resource.replace(/\/resourceGroups\//i, '/resourcegroups/');
  const lines = [
    'Caller is not authorized to perform action on resource.',
    'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.',
    `Caller: appid=${clientId};oid=${objectId};iss=https://sts.windows.net/${tenantId}/`,
    `Action: '${action}'`,
    `Resource: '${spelled.replace(/\/providers\/Microsoft\.KeyVault\//i, '/providers/microsoft.keyvault/')}'`,
    'Assignment: (not found)',
    'DenyAssignmentId: null',
    'DecisionReason: null ',
    `Vault: ${vault};location=${location}`,
  ];
  return vaultError(403, 'Forbidden', lines.map((line) => `${line}\r\n`).join(''), 'ForbiddenByRbac');
}

/** Why a request came without a token that counts. */
export type TokenTrouble =
  | { readonly refused: 'missing' | 'invalid' | 'expired' }
  | { readonly refused: 'wrong-audience'; readonly audience: string };

/** The challenge that teaches a client where to get its token. The JS SDK reads `authorization`, nothing else. */
export function unauthorized(authority: string, trouble: TokenTrouble): Reply {
  const reply = vaultError(401, 'Unauthorized', textOf(trouble));
  const error = trouble.refused === 'missing' ? '' : ', error="invalid_token"';
  const challenge = `Bearer authorization="${authority}", resource="${vaultResource}"${error}`;
  return { ...reply, headers: { 'www-authenticate': challenge } };
}

function textOf(trouble: TokenTrouble): string {
  switch (trouble.refused) {
    case 'missing':
      return 'AKV10000: Request is missing a Bearer or PoP token.';
    case 'expired':
      return "[TokenExpired] Error validating token: 'S2S12086'.";
    case 'invalid':
      return 'AKV10046: Unable to resolve the key used for signature validation.';
    case 'wrong-audience':
      return `AKV10022: Invalid audience. Expected ${vaultResource}, found: ${trouble.audience}.`;
  }
}

/**
 * Continuous access evaluation: the token is good, but another with these claims is wanted (base64 of JSON). It
 * names no `resource` on purpose: the JS SDK takes a challenge with one for an ordinary one and sends the same token.
 */
export function claimsChallenge(authority: string, claims: string, requestId: string = randomUUID()): Reply {
  const reply = vaultError(401, 'Unauthorized', 'The token does not carry the claims that are asked for.');
  const challenge = `Bearer realm="", authorization_uri="${authority}/oauth2/authorize", error="insufficient_claims", claims="${claims}"`;
  return served({ ...reply, headers: { 'www-authenticate': challenge } }, requestId);
}

export function throttled(retryAfterSeconds: number): Reply {
  const reply = vaultError(
    429,
    'Throttled',
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
  );
  return { ...reply, headers: { 'retry-after': String(retryAfterSeconds) } };
}
