import type { Incoming, Operation } from '../host/plugin.js';

export type SecretOperationName =
  | 'setSecret'
  | 'getSecret'
  | 'updateSecret'
  | 'deleteSecret'
  | 'listSecrets'
  | 'listSecretVersions'
  | 'getDeletedSecret'
  | 'listDeletedSecrets'
  | 'recoverDeletedSecret'
  | 'purgeDeletedSecret'
  | 'backupSecret'
  | 'restoreSecret'
  | 'unknown';

export interface SecretOperation extends Operation {
  readonly name: SecretOperationName;
  readonly version: string | undefined;
  /** Of an unknown operation: the path is one of the vault's, the verb is not one for it. */
  readonly wrongVerb: boolean;
}

/** `*` stands for a name or a version. The first row that fits counts. */
const routes: readonly (readonly [verb: string, path: string, name: SecretOperationName])[] = [
  ['GET', 'secrets', 'listSecrets'],
  ['POST', 'secrets/restore', 'restoreSecret'],
  ['GET', 'secrets/*', 'getSecret'],
  ['PUT', 'secrets/*', 'setSecret'],
  // The SDKs leave out the version to change the current one.
  ['PATCH', 'secrets/*', 'updateSecret'],
  ['DELETE', 'secrets/*', 'deleteSecret'],
  ['GET', 'secrets/*/versions', 'listSecretVersions'],
  ['POST', 'secrets/*/backup', 'backupSecret'],
  ['GET', 'secrets/*/*', 'getSecret'],
  ['PATCH', 'secrets/*/*', 'updateSecret'],
  ['GET', 'deletedsecrets', 'listDeletedSecrets'],
  ['GET', 'deletedsecrets/*', 'getDeletedSecret'],
  ['DELETE', 'deletedsecrets/*', 'purgeDeletedSecret'],
  ['POST', 'deletedsecrets/*/recover', 'recoverDeletedSecret'],
];

/** GET of the latest version arrives as `/secrets/name/`: empty segments are already gone. */
export function recogniseSecret({ method, segments }: Incoming): SecretOperation {
  const fitting = routes.filter(([, path]) => fits(path, segments));
  const name = fitting.find(([verb]) => verb === method)?.[2];
  if (name === undefined) {
    return { name: 'unknown', target: segments[1] ?? '', version: undefined, wrongVerb: fitting.length > 0 };
  }
  const target = name === 'restoreSecret' ? '' : (segments[1] ?? '');
  const isVersioned = name === 'getSecret' || name === 'updateSecret';
  return { name, target, version: isVersioned ? segments[2] : undefined, wrongVerb: false };
}

function fits(path: string, segments: readonly string[]): boolean {
  const parts = path.split('/');
  return (
    parts.length === segments.length &&
    parts.every((part, at) => part === '*' || part === segments[at]?.toLowerCase())
  );
}

/** What a secret may be called. */
export const secretName = /^[0-9a-zA-Z-]{1,127}$/;

/** What Azure calls the permission. */
export function dataActionOf(name: SecretOperationName): string {
  const secrets = 'Microsoft.KeyVault/vaults/secrets';
  switch (name) {
    case 'setSecret':
    case 'getSecret':
      return `${secrets}/${name}/action`;
    case 'updateSecret':
      return `${secrets}/update/action`;
    case 'deleteSecret':
      return `${secrets}/delete`;
    case 'recoverDeletedSecret':
      return `${secrets}/recover/action`;
    case 'purgeDeletedSecret':
      return `${secrets}/purge/action`;
    case 'backupSecret':
      return `${secrets}/backup/action`;
    case 'restoreSecret':
      return `${secrets}/restore/action`;
    default:
      return `${secrets}/readMetadata/action`;
  }
}
