import { randomUUID } from 'node:crypto';
import type { Directory } from '../entra/state.js';
import type { Principal, Tokens } from '../entra/tokens.js';
import type { Incoming, Reply, Service } from '../host/plugin.js';
import { answerBackup, answerRead, answerUnknown, answerWrite } from './answers.js';
import { refuseApiVersion } from './api-version.js';
import { BackupSeal } from './backup.js';
import {
  badParameter,
  forbidden,
  throttled,
  unauthorized,
  vaultApplicationId,
  vaultError,
  vaultResource,
  writeInProgress,
} from './errors.js';
import { location, served } from './headers.js';
import type { VaultLimiter } from './limit.js';
import { dataActionOf, recogniseSecret, secretName, type SecretOperation } from './protocol.js';
import type { Vault } from './state.js';
import { WritesInFlight } from './writes-in-flight.js';

export interface KeyVaultOptions {
  readonly name: string;
  readonly vault: Vault;
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly limiter: VaultLimiter;
  /** `https://…/<tenant>`; where the challenge sends clients. */
  readonly authority: () => string;
  /** Unless given, two writes to a name that arrive within two milliseconds meet. */
  readonly writes?: WritesInFlight;
  /** Closes backups. Vaults that share it can restore each other's; those of a subscription do unless said. */
  readonly backupSecret?: string;
  /** Of the header `x-ms-request-id`; random unless given. */
  readonly newRequestId?: () => string;
}

const writing = new Set([
  'setSecret',
  'updateSecret',
  'deleteSecret',
  'recoverDeletedSecret',
  'purgeDeletedSecret',
]);

/** One vault at the root of its own origin, as its ids demand. */
export function keyVaultService(options: KeyVaultOptions): Service<SecretOperation> {
  const { vault, directory, writes = new WritesInFlight(), newRequestId = randomUUID } = options;
  const seal = new BackupSeal(options.backupSecret ?? directory.subscriptionId);

  const answer = async (operation: SecretOperation, request: Incoming, stale: boolean): Promise<Reply> => {
    const refused = await admit(operation, request, options);
    if (refused !== undefined) return refused;
    if (operation.name === 'backupSecret') return answerBackup(vault, seal, operation);
    // A restored secret is new: no other write can hold its name, and its name is inside the blob.
    if (operation.name === 'restoreSecret') return answerWrite(vault, seal, operation, request);
    if (!writing.has(operation.name)) return answerRead(vault, operation, request, stale);
    const write = () => answerWrite(vault, seal, operation, request);
    return (await writes.perform(operation.target, write)) ?? writeInProgress(operation.target);
  };

  return {
    name: 'key-vault',
    recognise: recogniseSecret,
    // A client's first request only fetches the challenge, without token and body.
    isOverture: ({ headers }) => headers.authorization === undefined,
    refuse: (status, code, message) =>
      served(
        status === 429
          ? throttled(1)
          : vaultError(status, code ?? 'InternalError', message ?? 'Planted fault.'),
        newRequestId(),
      ),
    perform: async (operation, request, { stale = false }) =>
      served(await answer(operation, request, stale), newRequestId(), request),
  };
}

/** The id under which roles are given on a vault, and below which on its secrets. */
export function vaultScope(subscriptionId: string, name: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/rg-vaults/providers/Microsoft.KeyVault/vaults/${name}`;
}

/** Why the request is not served; its token is judged before anything that it says. */
async function admit(
  operation: SecretOperation,
  request: Incoming,
  options: KeyVaultOptions,
): Promise<Reply | undefined> {
  const who = await identify(request, options);
  if ('status' in who) return who;
  const version = refuseApiVersion(request.query.get('api-version'));
  if (version !== undefined) return badParameter(version);
  if (operation.name === 'unknown') return answerUnknown(operation, request);
  if (operation.target !== '' && !secretName.test(operation.target)) {
    return badParameter(`The request URI contains an invalid name: ${operation.target}`);
  }
  const refused = refuseByRole(operation, who, options);
  if (refused !== undefined) return refused;
  const wait = options.limiter.take(operation.name === 'setSecret' ? 'creates' : 'others');
  return wait === 0 ? undefined : throttled(wait);
}

async function identify(
  { headers }: Incoming,
  { tokens, authority }: KeyVaultOptions,
): Promise<Principal | Reply> {
  const who = await tokens.identify(headers.authorization, [vaultResource, vaultApplicationId]);
  if (!('refused' in who)) {
    // With a slash at its end the resource is another one for this service.
    const isExact = !who.audience.endsWith('/');
    if (isExact) return who.principal;
    return unauthorized(authority(), { refused: 'wrong-audience', audience: who.audience });
  }
  if (who.refused !== 'wrong-audience') return unauthorized(authority(), { refused: who.refused });
  return unauthorized(authority(), { refused: 'wrong-audience', audience: who.audience });
}

function refuseByRole(
  { name, target }: SecretOperation,
  { clientId, objectId }: Principal,
  { directory, name: vault }: KeyVaultOptions,
): Reply | undefined {
  const { subscriptionId, tenantId } = directory;
  const scope = vaultScope(subscriptionId, vault);
  const resource = target === '' ? scope : `${scope}/secrets/${target}`;
  const action = dataActionOf(name);
  if (directory.permits(clientId, { dataAction: action, scope: resource })) return undefined;
  return forbidden({ caller: { clientId, objectId, tenantId }, action, resource, vault, location });
}
