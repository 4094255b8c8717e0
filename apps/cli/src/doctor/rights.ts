// Each right of a service, as deploy/roles.json gives it: what is tried, and what its answer means.
import {
  grantsOf,
  isPermanentFault,
  isTransientFault,
  ROLES,
  topology,
  type RoleGrant,
} from '@twinkey/contracts';
import type { ServiceName } from '@twinkey/settings';
import type { Finding } from './finding.js';
import { assignRole, createEntity, isOwnRole, openVault, type Names, type Who } from './mend.js';

/** Not everybody lets the console look at dead letters; without it only `twinkey dlq` is poorer. */
const OPTIONAL = 'dead-letters';

export interface Right {
  readonly service: ServiceName;
  readonly grant: RoleGrant;
  /** Only a part of the installation that one may leave out needs it. */
  readonly isOptional: boolean;
}

/** What the service must be allowed with so many key-changed topics; with `discovery`, to look for accounts too. */
export function rightsOf(
  service: ServiceName,
  { shards, discovery }: { readonly shards: number; readonly discovery: boolean },
): readonly Right[] {
  const entities = topology({ shards });
  const own = (features: readonly (typeof OPTIONAL | 'discovery')[]) =>
    grantsOf(ROLES, entities, features).filter(({ identity }) => identity === service);
  const needed = own(discovery ? ['discovery'] : []);
  const isNeeded = (grant: RoleGrant) =>
    needed.some(({ role, at, name }) => role === grant.role && at === grant.at && name === grant.name);
  return own(discovery ? ['discovery', OPTIONAL] : [OPTIONAL]).map((grant) => ({
    service,
    grant,
    isOptional: !isNeeded(grant),
  }));
}

/** The right in words, with the thing's name in this installation. */
export function sayRight({ grant: { role, at, name } }: Right, thing?: string): string {
  return `${role} at ${at === 'azure-subscription' ? 'subscription' : at} ${thing ?? name ?? ''}`.trimEnd();
}

/** Whom and what a finding about a right has to name. */
export interface Circumstances {
  /** Undefined where no identity is asked for: a connection string opens the namespace. */
  readonly who: Who | undefined;
  readonly names: Partial<Names>;
  /** What the thing is called in words; the grant's own name unless given. */
  readonly thing?: string;
}

/** It was tried and worked. */
export function granted(right: Right, { thing }: Circumstances, note?: string): Finding {
  return {
    about: right.service,
    check: sayRight(right, thing),
    outcome: 'ok',
    ...(note === undefined ? {} : { detail: note }),
  };
}

/** It was tried and did not work: what the fault means, and what mends it. */
export function refused(right: Right, fault: unknown, circumstances: Circumstances): Finding {
  const { service, grant, isOptional } = right;
  const { who, names, thing } = circumstances;
  const base = { about: service, check: sayRight(right, thing) };
  const { code, says } = reasonOf(fault);
  if (code === 'bus-entity-missing') {
    return {
      ...base,
      outcome: 'failed',
      detail: 'there is no such entity',
      mend: createEntity(grant, names.namespace ?? 'NAMESPACE'),
    };
  }
  if (code === 'access-refused' && /firewall|client address/i.test(says)) {
    const [, address] = /client address:? *([\da-f.:]+\w)/i.exec(says) ?? [];
    return {
      ...base,
      outcome: 'failed',
      detail: 'the firewall of the vault',
      mend: openVault(names.vault ?? 'VAULT', address),
    };
  }
  if (code === 'access-refused' || code === 'bus-unauthorized') {
    if (who === undefined)
      return {
        ...base,
        outcome: 'failed',
        detail: 'the connection string does not open it',
        mend: 'export SERVICEBUS_CONNECTION_STRING=…   # one that may send, listen and manage',
      };
    const mend = assignRole(grant, who, names);
    if (isOptional)
      return { ...base, outcome: 'skipped', detail: 'not granted, and needed for dead letters only', mend };
    const what = says.startsWith('lacks ') ? says : 'not granted';
    const detail = isOwnRole(grant.role)
      ? `${what} (deploy/bicep/modules/custom-roles.bicep makes the role itself)`
      : what;
    return { ...base, outcome: 'failed', detail, mend };
  }
  if (code === 'account-not-found') {
    return {
      ...base,
      outcome: 'failed',
      detail: 'there is no such account',
      mend: `az cognitiveservices account list-deleted --output table   # recover it, or take it out of twinkey.yaml`,
    };
  }
  return { ...base, outcome: 'failed', detail: says, mend: mendOf(fault, grant, names) };
}

/** Nobody refused; something is in the way. */
function mendOf(
  fault: unknown,
  { at }: RoleGrant,
  { namespace = 'NAMESPACE', vault = 'VAULT' }: Partial<Names>,
): string {
  if (isPermanentFault(fault) && fault.remedy !== undefined) return fault.remedy;
  if (at === 'vault' || at === 'secret')
    return `az keyvault show --name ${vault} --query properties.vaultUri`;
  if (at === 'account' || at === 'azure-subscription') return 'az account show';
  return `az servicebus namespace list --query "[?name=='${namespace}'].serviceBusEndpoint"`;
}

/** The code of a fault of the adapters, and its first line; of many, the one in which Entra says why. */
export function reasonOf(fault: unknown): { readonly code: string; readonly says: string } {
  const lines = (fault instanceof Error ? fault.message : String(fault)).split('\n');
  const says = lines.find((line) => line.includes('AADSTS')) ?? lines[0] ?? '';
  return { code: isPermanentFault(fault) || isTransientFault(fault) ? fault.code : '', says };
}
