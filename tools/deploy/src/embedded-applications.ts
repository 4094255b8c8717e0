// The identities of deploy/roles.json as applications of the embedded Azure: with the rights that they have in the cloud,
// so that whoever runs the services against it learns of a role that is missing.
import type { Topology } from '@twinkey/contracts';
import { grantsOf, type Feature, type Grant, type Roles } from './roles.js';

export interface EmbeddedAssignment {
  readonly role?: string;
  readonly actions?: readonly string[];
  readonly dataActions?: readonly string[];
  /** Below the subscription; absent means all of it. */
  readonly scope?: string;
}

export interface EmbeddedApplication {
  readonly name: string;
  readonly assignments?: readonly EmbeddedAssignment[];
  readonly identifierUris?: readonly string[];
  readonly appRoles?: readonly { readonly resource: string; readonly role: string }[];
}

export interface EmbeddedPlaces {
  /** Ids of accounts below the subscription, `resourceGroups/…`; none means all that the subscription has. */
  readonly accounts?: readonly string[];
  readonly features?: readonly Feature[];
}

const NAMESPACE = 'resourceGroups/rg-messaging/providers/Microsoft.ServiceBus/namespaces/local';
const VAULT = 'resourceGroups/rg-vaults/providers/Microsoft.KeyVault/vaults/local';
/** What the embedded broker asks for when a subscription is made; Azure's front end asks for the action. */
const MANAGE = 'Microsoft.ServiceBus/namespaces/manage/action';
const KEEPS_SUBSCRIPTIONS = 'Microsoft.ServiceBus/namespaces/topics/subscriptions/write';

/** One application for each identity that has something to do here. */
export function embeddedApplications(
  roles: Roles,
  topology: Topology,
  { accounts, features = ['consumers', 'dead-letters', 'discovery'] }: EmbeddedPlaces = {},
): readonly EmbeddedApplication[] {
  const grants = grantsOf(roles, topology, features);
  return Object.keys(roles.identities).flatMap((name) => {
    const own = grants.filter(({ identity }) => identity === name);
    const assignments = own.flatMap((grant) => assignmentsOf(grant, roles, accounts));
    return assignments.length === 0 ? [] : [{ name, assignments }];
  });
}

function assignmentsOf(
  grant: Grant,
  roles: Roles,
  accounts: readonly string[] | undefined,
): EmbeddedAssignment[] {
  const rights = rightsOf(grant.role, roles);
  return scopesOf(grant, accounts).map((scope) => (scope === '' ? rights : { ...rights, scope }));
}

function rightsOf(role: string, { custom }: Roles): EmbeddedAssignment {
  const own = custom[role];
  if (own === undefined) return { role };
  const { actions, dataActions } = own;
  return {
    actions,
    dataActions: actions.includes(KEEPS_SUBSCRIPTIONS) ? [...dataActions, MANAGE] : dataActions,
  };
}

function scopesOf({ at, name = '' }: Grant, accounts: readonly string[] | undefined): readonly string[] {
  const [topic = '', subscription = ''] = name.split('/');
  switch (at) {
    case 'queue':
      return [`${NAMESPACE}/queues/${name}`];
    case 'topic':
      return [`${NAMESPACE}/topics/${name}`];
    case 'subscription':
      return [`${NAMESPACE}/topics/${topic}/subscriptions/${subscription}`];
    case 'vault':
    case 'secret':
      return [VAULT];
    case 'account':
      return accounts ?? [''];
    case 'azure-subscription':
      return [''];
    default:
      return at satisfies never;
  }
}
