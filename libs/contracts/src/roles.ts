// The words in which roles are assigned, and "each key-changed topic" written out for a topology. Who has which role is in
// `roles-table.ts`.
import type { Topology } from './topology.js';

/** Parts of an installation that not everybody has; an assignment with one of them belongs to that part only. */
export const ROLE_FEATURES = ['autoscaling', 'consumers', 'dead-letters', 'discovery', 'events'] as const;
export type RoleFeature = (typeof ROLE_FEATURES)[number];

/** What a role is assigned at. Queues, topics and subscriptions (`topic/subscription`) have a name. */
export const ROLE_PLACES = [
  'queue',
  'topic',
  'subscription',
  'key-changed-topic',
  'vault',
  'secret',
  'account',
  'azure-subscription',
] as const;
export type RolePlace = (typeof ROLE_PLACES)[number];

export interface CustomRole {
  readonly what: string;
  readonly actions: readonly string[];
  readonly dataActions: readonly string[];
}

export interface RoleIdentity {
  readonly what: string;
  /** The Kubernetes service account that may become it. */
  readonly serviceAccount?: string;
  readonly only?: RoleFeature;
}

export interface RoleAssignment {
  readonly identity: string;
  readonly role: string;
  readonly at: RolePlace;
  readonly name?: string;
  readonly only?: RoleFeature;
}

export interface RoleTable {
  /** Ids of Azure's own roles by name. */
  readonly builtIn: Readonly<Record<string, string>>;
  readonly custom: Readonly<Record<string, CustomRole>>;
  readonly identities: Readonly<Record<string, RoleIdentity>>;
  readonly assignments: readonly RoleAssignment[];
}

/** One role on one thing. */
export interface RoleGrant {
  readonly identity: string;
  readonly role: string;
  readonly at: 'queue' | 'topic' | 'subscription' | 'vault' | 'secret' | 'account' | 'azure-subscription';
  /** The entity's name, `topic/subscription` for a subscription. Vaults, secrets and accounts are the installation's. */
  readonly name?: string;
}

/** Every single role that the identities have in an installation with these entities and features. */
export function grantsOf(
  { assignments }: RoleTable,
  topology: Topology,
  features: readonly RoleFeature[] = ROLE_FEATURES,
): readonly RoleGrant[] {
  return assignments
    .filter(({ only }) => only === undefined || features.includes(only))
    .flatMap((assignment) => placesOf(assignment, topology));
}

function placesOf({ identity, role, at, name }: RoleAssignment, topology: Topology): readonly RoleGrant[] {
  const keyChanged = topology.topics
    .map((topic) => topic.name)
    .filter((topic) => topic.startsWith('key-changed-'));
  return at === 'key-changed-topic'
    ? keyChanged.map((topic) => ({ identity, role, at: 'topic', name: topic }))
    : [{ identity, role, at, ...(name === undefined ? {} : { name }) }];
}
