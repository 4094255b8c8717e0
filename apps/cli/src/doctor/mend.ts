// The commands that mend an installation, with the real names in them. They run in any POSIX shell as somebody who may.
import { ENTITY_DEFAULTS, ROLES, type RoleGrant } from '@twinkey/contracts';

/** An identity, by the claims of its token. */
export interface Who {
  readonly objectId: string;
  readonly kind: 'ServicePrincipal' | 'User';
  /** The application or managed identity; people have one as well, that of the program they signed in with. */
  readonly clientId: string;
  readonly tenantId: string;
}

/** What things are called in this installation. Names, not ids: an address shows no more of itself. */
export interface Names {
  readonly namespace: string;
  readonly vault: string;
  /** The ARM id of the account that is meant. */
  readonly account: string;
  readonly subscription: string;
}

const idOfNamespace = (name: string) =>
  `$(az servicebus namespace list --query "[?name=='${name}'].id" --output tsv)`;
const groupOfNamespace = (name: string) =>
  `"$(az servicebus namespace list --query "[?name=='${name}'].resourceGroup" --output tsv)"`;

/** Names of roles are unique in a tenant, so deploy/bicep lets ours end in what tells installations apart. */
const idOfOwnRole = (role: string) =>
  `$(az role definition list --custom-role-only true --query "[?starts_with(roleName, '${role}')].name | [0]" --output tsv)`;

/** Gives an identity one role at one thing. */
export function assignRole({ role, at, name = '' }: RoleGrant, who: Who, names: Partial<Names>): string {
  return [
    'az role assignment create',
    `--assignee-object-id ${who.objectId}`,
    `--assignee-principal-type ${who.kind}`,
    `--role "${isOwnRole(role) ? idOfOwnRole(role) : role}"`,
    `--scope ${scopeOf(at, name, names)}`,
  ].join(' ');
}

function scopeOf(at: RoleGrant['at'], name: string, names: Partial<Names>): string {
  const { namespace = 'NAMESPACE', vault = 'VAULT', account = 'ACCOUNT', subscription = 'ID' } = names;
  const [topic = '', subscriber = ''] = name.split('/');
  switch (at) {
    case 'queue':
      return `"${idOfNamespace(namespace)}/queues/${name}"`;
    case 'topic':
      return `"${idOfNamespace(namespace)}/topics/${name}"`;
    case 'subscription':
      return `"${idOfNamespace(namespace)}/topics/${topic}/subscriptions/${subscriber}"`;
    case 'vault':
    case 'secret':
      return `"$(az keyvault show --name ${vault} --query id --output tsv)"`;
    case 'account':
      return account;
    case 'azure-subscription':
      return `/subscriptions/${subscription}`;
    default:
      return at satisfies never;
  }
}

/** True for a role that Azure does not have by itself: an installation without deploy/bicep has to make it first. */
export function isOwnRole(role: string): boolean {
  return role in ROLES.custom;
}

/** Makes the entity that a grant is about, as the topology wants it. */
export function createEntity({ at, name = '' }: RoleGrant, namespace: string): string {
  const { lockDuration, maxDeliveryCount, duplicateDetectionWindow, timeToLive } = ENTITY_DEFAULTS;
  const where = `--resource-group ${groupOfNamespace(namespace)} --namespace-name ${namespace}`;
  const receiving = `--lock-duration ${lockDuration} --max-delivery-count ${maxDeliveryCount} --default-message-time-to-live ${timeToLive}`;
  const once = `--enable-duplicate-detection true --duplicate-detection-history-time-window ${duplicateDetectionWindow}`;
  const [topic = '', subscriber = ''] = name.split('/');
  switch (at) {
    case 'queue':
      return `az servicebus queue create ${where} --name ${name} ${receiving} ${once} --enable-dead-lettering-on-message-expiration true`;
    case 'subscription':
      return `az servicebus topic subscription create ${where} --topic-name ${topic} --name ${subscriber} ${receiving} --enable-dead-lettering-on-message-expiration true`;
    default:
      return `az servicebus topic create ${where} --name ${topic} --default-message-time-to-live ${timeToLive} ${once}`;
  }
}

/** Lets an address through the firewall of a vault. */
export function openVault(vault: string, address: string | undefined): string {
  return `az keyvault network-rule add --name ${vault} --ip-address ${address ?? 'ADDRESS'}`;
}

/** Gives a service its schema; whoever runs it owns the database. */
export function grantSchema(
  { exists }: { readonly exists: boolean },
  { schema, user, database }: { schema: string; user: string; database: string },
): string {
  const statement = exists
    ? `GRANT USAGE, CREATE ON SCHEMA "${schema}" TO "${user}"`
    : `CREATE SCHEMA "${schema}" AUTHORIZATION "${user}"`;
  return `psql --dbname ${database} --command '${statement}'   # as the owner of the database`;
}

/** Gets an identity where there is none. */
export const LOG_IN =
  'az login   # or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET';

/** Makes the role of a URL one that signs in as an identity. The functions for it are in the database `postgres`. */
export function makeDatabaseRole({ hostname, port, username }: URL, { objectId, kind }: Who): string {
  const role = decodeURIComponent(username).replaceAll("'", "''");
  const type = kind === 'User' ? 'user' : 'service';
  return [
    'PGPASSWORD="$(az account get-access-token --resource-type oss-rdbms --query accessToken --output tsv)"',
    `psql "host=${hostname} port=${port || '5432'} dbname=postgres user=ADMINISTRATOR sslmode=verify-full sslrootcert=system"`,
    `--command "select pgaadauth_create_principal_with_oid('${role}', '${objectId}', '${type}', false, false)"`,
    '  # as the Entra administrator of the server',
  ].join(' ');
}

/** What the host of a namespace or vault begins with is its name in Azure. */
export function firstLabel(hostOrUrl: string): string {
  const host = hostOrUrl.includes('://') ? new URL(hostOrUrl).hostname : hostOrUrl;
  return host.split(/[.:]/)[0] ?? host;
}
