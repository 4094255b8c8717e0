import { setTimeout as sleep } from 'node:timers/promises';
import type { Directory } from '../entra/state.js';
import type { Principal, Tokens } from '../entra/tokens.js';
import { json, jsonObject, type Incoming, type Reply, type Service } from '../host/plugin.js';
import {
  forbidden,
  secretDeleted,
  secretDisabled,
  secretNotFound,
  throttled,
  unauthorized,
  vaultError,
  writeInProgress,
} from './errors.js';
import type { VaultLimiter } from './limit.js';
import {
  bundle,
  dataActionOf,
  deletion,
  page,
  parseChanges,
  properties,
  recogniseSecret,
  secretName,
  type SecretOperation,
} from './protocol.js';
import type { SecretVersion, Vault, VaultRefusal } from './state.js';

export interface KeyVaultOptions {
  readonly name: string;
  readonly vault: Vault;
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly limiter: VaultLimiter;
  /** `https://…/<tenant>`; where the challenge sends clients. */
  readonly authority: () => string;
}

/** How long a write holds its name. A second write to it meanwhile is refused with 409, as in Azure. */
const writeMs = 2;

const writes = new Set([
  'setSecret',
  'updateSecret',
  'deleteSecret',
  'recoverDeletedSecret',
  'purgeDeletedSecret',
]);

/** One vault at the root of its own origin, as its ids demand. */
export function keyVaultService(options: KeyVaultOptions): Service<SecretOperation> {
  const { name, directory, tokens } = options;
  const writing = new Set<string>();
  const vaultId = vaultScope(directory.subscriptionId, name);

  const admit = async (operation: SecretOperation, request: Incoming): Promise<Reply | undefined> => {
    const who = await tokens.identify(request.headers.authorization, ['https://vault.azure.net']);
    if ('refused' in who) {
      return unauthorized(
        options.authority(),
        who.refused === 'missing' ? '' : `The token is ${who.refused}.`,
      );
    }
    const action = dataActionOf(operation.name);
    const scope = operation.target === '' ? vaultId : `${vaultId}/secrets/${operation.target}`;
    if (!directory.permits(who.principal.clientId, { dataAction: action, scope })) {
      return forbidden(describe(who.principal), action, scope);
    }
    if (operation.target !== '' && !secretName.test(operation.target)) {
      return vaultError(400, 'BadParameter', `The request URI contains an invalid name: ${operation.target}`);
    }
    const wait = options.limiter.take(operation.name === 'setSecret' ? 'creates' : 'others');
    return wait === 0 ? undefined : throttled(wait);
  };

  return {
    name: 'key-vault',
    recognise: recogniseSecret,
    // A client's first request only fetches the challenge, without token and body.
    isOverture: ({ headers }) => headers.authorization === undefined,
    refuse: (status, code, message) =>
      status === 429
        ? throttled(1)
        : vaultError(status, code ?? 'InternalError', message ?? 'Planted fault.'),
    perform: async (operation, request, { stale = false }) => {
      const { target } = operation;
      const refused = await admit(operation, request);
      if (refused !== undefined) return served(refused);
      if (!writes.has(operation.name)) return served(read(options.vault, operation, request, stale));
      const held = target.toLowerCase();
      if (writing.has(held)) return served(writeInProgress(target));
      writing.add(held);
      try {
        const reply = write(options.vault, operation, request);
        await sleep(writeMs);
        return served(reply);
      } finally {
        writing.delete(held);
      }
    },
  };
}

export function vaultScope(subscriptionId: string, name: string): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/rg-vaults/providers/Microsoft.KeyVault/vaults/${name}`;
}

function read(vault: Vault, operation: SecretOperation, request: Incoming, stale: boolean): Reply {
  const { origin } = request;
  const { target } = operation;
  const idOf = (name: string) => `${origin}/secrets/${name}`;
  switch (operation.name) {
    case 'getSecret':
      return found(vault.get(target, operation.version, stale), target, (one) => bundle(origin, target, one));
    case 'listSecrets':
      return paged(
        request,
        vault.list().map(([name, current]) => properties(current, idOf(name))),
      );
    case 'listSecretVersions': {
      const versions = vault.versions(target);
      if (typeof versions === 'string') return paged(request, []); // Azure lists nothing rather than 404
      return paged(
        request,
        versions.map((one) => properties(one, `${idOf(target)}/${one.id}`)),
      );
    }
    case 'listDeletedSecrets':
      return paged(
        request,
        vault.listDeleted().map(([name]) => deleted(vault, origin, name, false)),
      );
    case 'getDeletedSecret':
      if (vault.deleted(target) === 'not-found') return secretNotFound(target);
      return json(200, deleted(vault, origin, target, true));
    default:
      return vaultError(
        404,
        'NotFound',
        'The emulated vault has secrets only: no keys, certificates, backups.',
      );
  }
}

function write(vault: Vault, operation: SecretOperation, { body, origin }: Incoming): Reply {
  const { target, version } = operation;
  const fields = jsonObject(body) ?? {};
  const changes = parseChanges(fields);
  if (changes === undefined)
    return vaultError(400, 'BadParameter', 'Attributes or tags have the wrong shape.');
  const shown = (one: SecretVersion) => properties(one, `${origin}/secrets/${target}/${one.id}`);
  switch (operation.name) {
    case 'setSecret': {
      const { value } = fields;
      if (typeof value !== 'string') return vaultError(400, 'BadParameter', 'The field value is required.');
      return found(vault.set(target, value, changes), target, (one) => bundle(origin, target, one));
    }
    case 'updateSecret':
      return found(vault.update(target, version, changes), target, shown);
    case 'deleteSecret':
      return found(vault.delete(target), target, () => deleted(vault, origin, target, true));
    case 'recoverDeletedSecret':
      return found(vault.recover(target), target, shown);
    default:
      return vault.purge(target) === 'purged' ? { status: 204 } : secretNotFound(target);
  }
}

function found(
  outcome: SecretVersion | VaultRefusal,
  name: string,
  show: (version: SecretVersion) => Readonly<Record<string, unknown>>,
): Reply {
  switch (outcome) {
    case 'not-found':
      return secretNotFound(name);
    case 'disabled':
      return secretDisabled();
    case 'deleted':
      return secretDeleted(name);
    default:
      return json(200, show(outcome));
  }
}

function deleted(vault: Vault, origin: string, name: string, withVersion: boolean) {
  const state = vault.deleted(name);
  if (state === 'not-found') return {};
  const id = `${origin}/secrets/${name}${withVersion ? `/${state.version.id}` : ''}`;
  return { ...deletion(origin, name, state), ...properties(state.version, id) };
}

function paged(request: Incoming, all: readonly Readonly<Record<string, unknown>>[]): Reply {
  const result = page(all, request);
  return result === undefined ? vaultError(400, 'BadParameter', 'maxresults is 1 to 25.') : json(200, result);
}

function served(reply: Reply): Reply {
  return {
    ...reply,
    headers: {
      'cache-control': 'no-cache',
      'x-ms-keyvault-region': 'westeurope',
      'x-ms-keyvault-service-version': '1.9.2600.1',
      'x-ms-keyvault-network-info': 'conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;',
      ...reply.headers,
    },
  };
}

function describe({ clientId, objectId }: Principal): string {
  return `appid=${clientId};oid=${objectId}`;
}
