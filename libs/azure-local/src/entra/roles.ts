/** What Azure's built-in roles allow, as far as the emulated services ask. Names, ids and actions are Azure's. */
interface Role {
  readonly id: string;
  readonly actions: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions: readonly string[];
}

const role = (
  id: string,
  actions: readonly string[],
  dataActions: readonly string[] = [],
  notActions: readonly string[] = [],
): Role => ({ id, actions, dataActions, notActions });
const secrets = 'Microsoft.KeyVault/vaults/secrets';
const cognitive = 'Microsoft.CognitiveServices';
const openAi = `${cognitive}/accounts/OpenAI`;
/** What nearly every role of a service may read besides its own. */
const surroundings = [
  'Microsoft.Resources/deployments/operations/read',
  'Microsoft.Resources/subscriptions/operationresults/read',
  'Microsoft.Resources/subscriptions/read',
  'Microsoft.Resources/subscriptions/resourceGroups/read',
  'Microsoft.ResourceHealth/availabilityStatuses/read',
  'Microsoft.Insights/logDefinitions/read',
  'Microsoft.Insights/metricdefinitions/read',
  'Microsoft.Insights/metrics/read',
  'Microsoft.Support/*',
];

const builtIn: Readonly<Record<string, Role>> = {
  Owner: role('8e3af657-a8ff-443c-a75c-2fe8c4bcb635', ['*']),
  Contributor: role(
    'b24988ac-6180-42a0-ab88-20f7382dd24c',
    ['*'],
    [],
    [
      'Microsoft.Authorization/*/Delete',
      'Microsoft.Authorization/*/Write',
      'Microsoft.Authorization/elevateAccess/Action',
    ],
  ),
  Reader: role('acdd72a7-3385-48ef-bd42-f606fba81ae7', ['*/read']),
  'Cognitive Services Contributor': role('25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68', [
    ...surroundings,
    `${cognitive}/*`,
    'Microsoft.Authorization/*/read',
    'Microsoft.Features/features/read',
    'Microsoft.Features/providers/features/read',
    'Microsoft.Insights/alertRules/*',
    'Microsoft.Insights/diagnosticSettings/*',
    'Microsoft.Resources/deployments/*',
    'Microsoft.Resources/subscriptions/resourcegroups/deployments/*',
  ]),
  // Lists keys too: not a role for a consumer that is meant to be keyless.
  'Cognitive Services User': role(
    'a97b65f3-24c7-4388-baec-2e87135dc908',
    [
      ...surroundings,
      `${cognitive}/*/read`,
      `${cognitive}/accounts/listkeys/action`,
      'Microsoft.Insights/alertRules/read',
      'Microsoft.Insights/diagnosticSettings/read',
    ],
    [`${cognitive}/*`],
  ),
  'Cognitive Services Data Reader (Preview)': role(
    'b59867f0-fa02-499b-be73-45a86b5b3e1c',
    [],
    [`${cognitive}/*/read`],
  ),
  'Cognitive Services OpenAI Contributor': role(
    'a001fd3d-188f-4b5d-821b-7da978bf7442',
    [
      `${cognitive}/*/read`,
      `${cognitive}/accounts/deployments/write`,
      `${cognitive}/accounts/deployments/delete`,
      'Microsoft.Authorization/roleAssignments/read',
      'Microsoft.Authorization/roleDefinitions/read',
    ],
    [`${openAi}/*`],
  ),
  'Cognitive Services OpenAI User': role(
    '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
    [
      `${cognitive}/*/read`,
      'Microsoft.Authorization/roleAssignments/read',
      'Microsoft.Authorization/roleDefinitions/read',
    ],
    [
      `${openAi}/*/read`,
      `${openAi}/engines/completions/action`,
      `${openAi}/engines/search/action`,
      `${openAi}/engines/generate/action`,
      `${openAi}/deployments/*/action`,
      `${openAi}/images/generations/action`,
      `${openAi}/assistants/*`,
      `${openAi}/responses/*`,
    ],
  ),
  'Key Vault Secrets Officer': role('b86a8fe4-44ce-4948-aee5-eccb2c155cd7', [], [`${secrets}/*`]),
  'Key Vault Secrets User': role(
    '4633458b-17de-408a-b874-0445c86b69e6',
    [],
    [`${secrets}/getSecret/action`, `${secrets}/readMetadata/action`],
  ),
  'Azure Service Bus Data Owner': role(
    '090c5cfd-751d-490a-894a-3ce6f1109419',
    ['Microsoft.ServiceBus/*'],
    ['Microsoft.ServiceBus/*'],
  ),
  'Azure Service Bus Data Sender': role(
    '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39',
    [],
    ['Microsoft.ServiceBus/*/send/action'],
  ),
  'Azure Service Bus Data Receiver': role(
    '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0',
    [],
    ['Microsoft.ServiceBus/*/receive/action'],
  ),
};

/**
 * A grant to an application: a built-in role by name or id, or the actions of a custom one, on a scope and all
 * below it. A scope that does not begin with `/` is below the emulator's subscription; absent means everywhere.
 */
export interface RoleAssignment {
  readonly role?: string;
  readonly actions?: readonly string[];
  readonly dataActions?: readonly string[];
  readonly scope?: string;
}

/** What a request needs: an action of the control plane or of the data plane, on one resource. */
export type Need = { readonly scope: string } & (
  { readonly action: string } | { readonly dataAction: string }
);

export function isRole(nameOrId: string): boolean {
  return findRole(nameOrId) !== undefined;
}

export const roleNames: readonly string[] = Object.keys(builtIn);

/** Azure compares actions, role names and scopes without regard to case. */
export function permits(assignments: readonly RoleAssignment[], need: Need, subscription: string): boolean {
  return assignments.some((assignment) => {
    if (!covers(absolute(assignment.scope ?? '/', subscription), need.scope)) return false;
    const granted = assignment.role === undefined ? undefined : findRole(assignment.role);
    const refuses = (action: string) =>
      (granted?.notActions ?? []).some((pattern) => allows(pattern, action));
    return 'action' in need
      ? (assignment.actions ?? []).some((pattern) => allows(pattern, need.action)) ||
          ((granted?.actions ?? []).some((pattern) => allows(pattern, need.action)) && !refuses(need.action))
      : [...(granted?.dataActions ?? []), ...(assignment.dataActions ?? [])].some((pattern) =>
          allows(pattern, need.dataAction),
        );
  });
}

/** Whether any assignment reaches the subscription or something below it, so that its holder sees it. */
export function hasAnyRole(assignments: readonly RoleAssignment[], subscription: string): boolean {
  return assignments.some(({ scope }) => {
    const at = absolute(scope ?? '/', subscription);
    return covers(at, subscription) || covers(subscription, at);
  });
}

function findRole(nameOrId: string): Role | undefined {
  const wanted = nameOrId.toLowerCase();
  return Object.entries(builtIn).find(
    ([name, { id }]) => name.toLowerCase() === wanted || id === wanted,
  )?.[1];
}

function absolute(scope: string, subscription: string): string {
  return scope.startsWith('/') ? scope : `${subscription}/${scope}`;
}

function covers(outer: string, inner: string): boolean {
  const prefix = outer.toLowerCase().replace(/\/+$/, '');
  return `${inner.toLowerCase()}/`.startsWith(`${prefix}/`);
}

function allows(pattern: string, action: string): boolean {
  const expression = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${expression.join('.*')}$`, 'i').test(action);
}
