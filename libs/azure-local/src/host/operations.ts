import type { AiOperation } from '../ai-services/server.js';
import type { EntraOperation } from '../entra/protocol.js';
import type { SecretOperationName } from '../key-vault/protocol.js';
import type { ArmOperationName } from '../resource-manager/protocol.js';
import type { ServiceName } from './plugin.js';

type NameOf = {
  readonly entra: EntraOperation['name'];
  readonly arm: ArmOperationName;
  readonly 'key-vault': SecretOperationName;
  readonly ai: AiOperation['name'];
};

/** Faults that only some operations can show. */
type Shows = 'stale' | 'lag';

/** Every operation of a service as faults and logs name it; complete, because the types of the services say so. */
const known: {
  readonly [S in ServiceName]: Readonly<Record<Exclude<NameOf[S], 'unknown'>, readonly Shows[]>>;
} = {
  entra: {
    token: [],
    keys: [],
    'openid-configuration': [],
    'instance-discovery': [],
    'cloud-metadata': [],
    'managed-identity': [],
    'workload-configuration': [],
    'workload-keys': [],
  },
  arm: {
    listAccounts: ['stale'],
    listAccountsByResourceGroup: ['stale'],
    getAccount: ['stale'],
    putAccount: [],
    patchAccount: [],
    deleteAccount: [],
    listKeys: ['stale'],
    regenerateKey: ['lag'],
    listAccountSkus: [],
    listAccountUsages: [],
    listAccountModels: [],
    listDeletedAccounts: [],
    getDeletedAccount: [],
    purgeDeletedAccount: [],
    listSkus: [],
    listModels: [],
    checkDomainAvailability: [],
    checkSkuAvailability: [],
    listTenants: [],
    listSubscriptions: [],
    getSubscription: [],
    listLocations: [],
    listProviders: [],
    getProvider: [],
    registerProvider: [],
    listOperations: [],
    listResources: [],
    listResourcesByResourceGroup: [],
    listResourceGroups: [],
    getResourceGroup: [],
    headResourceGroup: [],
    putResourceGroup: [],
    patchResourceGroup: [],
    deleteResourceGroup: [],
  },
  'key-vault': {
    setSecret: [],
    getSecret: ['stale'],
    updateSecret: [],
    deleteSecret: [],
    listSecrets: ['stale'],
    listSecretVersions: ['stale'],
    getDeletedSecret: ['stale'],
    listDeletedSecrets: ['stale'],
    recoverDeletedSecret: [],
    purgeDeletedSecret: [],
    backupSecret: [],
    restoreSecret: [],
  },
  ai: { call: [], issueToken: [] },
};

/** The names of a service's operations. */
export function operationsOf(service: ServiceName): readonly string[] {
  return Object.keys(known[service]);
}

/** The operations of a service on which such a fault has something to change. */
export function operationsThatShow(what: Shows, service: ServiceName): readonly string[] {
  return Object.entries(known[service] as Readonly<Record<string, readonly Shows[]>>)
    .filter(([, shows]) => shows.includes(what))
    .map(([name]) => name);
}
