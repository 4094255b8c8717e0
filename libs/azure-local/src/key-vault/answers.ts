import { json, jsonObject, type Incoming, type Reply } from '../host/plugin.js';
import type { BackupSeal } from './backup.js';
import {
  badParameter,
  deletedSecretNotFound,
  methodNotAllowed,
  noSuchPath,
  secretDeleted,
  secretDisabled,
  secretExists,
  secretNotFound,
} from './errors.js';
import { page } from './paging.js';
import { parseParameters } from './parameters.js';
import type { SecretOperation } from './protocol.js';
import { recoveryOf, Representation } from './representation.js';
import type { SecretVersion, Vault, VaultRefusal } from './state.js';

export type Shown = Readonly<Record<string, unknown>>;

/** What the operation asks about; `stale` answers from before the last change. */
export function answerRead(
  vault: Vault,
  operation: SecretOperation,
  request: Incoming,
  stale: boolean,
): Reply {
  const show = new Representation(request.origin, recoveryOf(vault.retentionDays));
  const { target } = operation;
  const name = vault.spelling(target);
  switch (operation.name) {
    case 'getSecret':
      return found(vault.get(target, operation.version, stale), target, (one) => show.bundle(name, one));
    case 'listSecrets':
      return paged(
        request,
        vault.list(stale).map(([each, one]) => [each.toLowerCase(), show.properties(one, show.id(each))]),
      );
    case 'listSecretVersions': {
      const versions = vault.versions(target, stale);
      // Azure lists nothing rather than answer 404.
      const all = typeof versions === 'string' ? [] : versions;
      return paged(
        request,
        all.map((one) => [one.id, show.properties(one, show.id(name, one.id))]),
      );
    }
    case 'listDeletedSecrets':
      return paged(
        request,
        vault
          .listDeleted(stale)
          .map(([each]) => [each.toLowerCase(), deleted(vault, show, each, 'in a list', stale)]),
      );
    default:
      if (vault.deleted(target, stale) === 'not-found') return deletedSecretNotFound(target);
      return json(200, deleted(vault, show, name, 'alone', stale));
  }
}

/** Changes the vault and says how. */
export function answerWrite(
  vault: Vault,
  seal: BackupSeal,
  operation: SecretOperation,
  request: Incoming,
): Reply {
  const show = new Representation(request.origin, recoveryOf(vault.retentionDays));
  const { target } = operation;
  const name = vault.spelling(target);
  const described = (one: SecretVersion) => show.properties(one, show.id(vault.spelling(name), one.id));
  switch (operation.name) {
    case 'setSecret':
    case 'updateSecret':
      return change(vault, operation, request, show);
    case 'deleteSecret':
      return found(vault.delete(target), target, () => deleted(vault, show, name, 'alone'));
    case 'recoverDeletedSecret': {
      const recovered = vault.recover(target);
      return recovered === 'not-found' ? deletedSecretNotFound(target) : found(recovered, target, described);
    }
    case 'restoreSecret':
      return restore(vault, seal, request, show);
    default:
      return vault.purge(target) === 'purged' ? { status: 204 } : deletedSecretNotFound(target);
  }
}

/** A copy of all versions, closed to everybody but the vaults of this subscription. */
export function answerBackup(vault: Vault, seal: BackupSeal, { target }: SecretOperation): Reply {
  const copy = vault.copy(target);
  return copy === 'not-found' ? secretNotFound(target) : json(200, { value: seal.seal(copy) });
}

/** For what is none of the vault's operations. */
export function answerUnknown({ wrongVerb, name }: SecretOperation, { method, segments }: Incoming): Reply {
  const [collection = ''] = segments;
  const isOurs = ['secrets', 'deletedsecrets'].includes(collection.toLowerCase());
  const isUnknownAction = name === 'unknown' && method === 'POST' && isOurs;
  return wrongVerb || isUnknownAction ? methodNotAllowed(method) : noSuchPath();
}

function change(
  vault: Vault,
  { name, target, version }: SecretOperation,
  { body }: Incoming,
  show: Representation,
) {
  const asked = parseParameters(body);
  if (typeof asked === 'string') return badParameter(asked);
  const { value, changes } = asked;
  if (name === 'updateSecret') {
    return found(vault.update(target, version, changes), target, (one) =>
      show.properties(one, show.id(vault.spelling(target), one.id)),
    );
  }
  if (value === undefined) return badParameter('value: the secret to set is missing.');
  return found(vault.set(target, value, changes), target, (one) => show.bundle(vault.spelling(target), one));
}

function restore(vault: Vault, seal: BackupSeal, { body }: Incoming, show: Representation): Reply {
  const value = jsonObject(body)?.['value'];
  const copy = typeof value === 'string' ? seal.open(value) : undefined;
  if (copy === undefined) return badParameter('value: this is no backup of a secret of this subscription.');
  const restored = vault.restore(copy);
  if (restored === 'exists') return secretExists(show.id(vault.spelling(copy.name)));
  if (restored === 'deleted') return secretDeleted(vault.spelling(copy.name));
  return json(200, show.properties(restored, show.id(copy.name, restored.id)));
}

function found(
  outcome: SecretVersion | VaultRefusal,
  name: string,
  show: (version: SecretVersion) => Shown,
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

function deleted(
  vault: Vault,
  show: Representation,
  name: string,
  where: 'alone' | 'in a list',
  stale = false,
): Shown {
  const state = vault.deleted(name, stale);
  if (state === 'not-found') return {};
  const id = show.id(name, where === 'alone' ? state.version.id : undefined);
  return { ...show.deletion(name, state), ...show.properties(state.version, id) };
}

function paged(request: Incoming, all: readonly (readonly [string, Shown])[]): Reply {
  const result = page(all, request);
  return typeof result === 'string' ? badParameter(result) : json(200, result);
}
