// Which identity has which role on what: deploy/roles.json, with "each key-changed topic" written out for
// a topology. The infrastructure assigns from the same file.
import { readFileSync } from 'node:fs';
import type { Topology } from '@twinkey/contracts';
import { root } from './repository.js';

/** Parts of an installation that not everybody has; an assignment with one of them belongs to that part only. */
export const FEATURES = ['autoscaling', 'consumers', 'dead-letters', 'discovery', 'events'] as const;
export type Feature = (typeof FEATURES)[number];

/** What a role is assigned at. Queues, topics and subscriptions (`topic/subscription`) have a name. */
export const PLACES = [
  'queue',
  'topic',
  'subscription',
  'key-changed-topic',
  'vault',
  'secret',
  'account',
  'azure-subscription',
] as const;
export type Place = (typeof PLACES)[number];

export interface CustomRole {
  readonly what: string;
  readonly actions: readonly string[];
  readonly dataActions: readonly string[];
}

export interface Identity {
  readonly what: string;
  /** The Kubernetes service account that may become it. */
  readonly serviceAccount?: string;
  readonly only?: Feature;
}

export interface Assignment {
  readonly identity: string;
  readonly role: string;
  readonly at: Place;
  readonly name?: string;
  readonly only?: Feature;
}

export interface Roles {
  /** Ids of Azure's own roles by name. */
  readonly builtIn: Readonly<Record<string, string>>;
  readonly custom: Readonly<Record<string, CustomRole>>;
  readonly identities: Readonly<Record<string, Identity>>;
  readonly assignments: readonly Assignment[];
}

/** One role on one thing. */
export interface Grant {
  readonly identity: string;
  readonly role: string;
  readonly at: 'queue' | 'topic' | 'subscription' | 'vault' | 'secret' | 'account' | 'azure-subscription';
  /** The entity's name, `topic/subscription` for a subscription. Vaults, secrets and accounts are the installation's. */
  readonly name?: string;
}

/** Reads deploy/roles.json. */
export function readRoles(): Roles {
  return JSON.parse(readFileSync(`${root}deploy/roles.json`, 'utf8')) as Roles;
}

/** Every single role that the identities have in an installation with these entities and features. */
export function grantsOf(
  { assignments }: Roles,
  topology: Topology,
  features: readonly Feature[] = FEATURES,
): readonly Grant[] {
  return assignments
    .filter(({ only }) => only === undefined || features.includes(only))
    .flatMap((assignment) => placesOf(assignment, topology));
}

function placesOf({ identity, role, at, name }: Assignment, topology: Topology): readonly Grant[] {
  const keyChanged = topology.topics
    .map((topic) => topic.name)
    .filter((topic) => topic.startsWith('key-changed-'));
  return at === 'key-changed-topic'
    ? keyChanged.map((topic) => ({ identity, role, at: 'topic', name: topic }))
    : [{ identity, role, at, ...(name === undefined ? {} : { name }) }];
}
