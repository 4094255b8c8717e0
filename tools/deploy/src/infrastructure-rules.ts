// What must hold of the infrastructure's files: they assign the roles of deploy/roles.json, each at the smallest thing that
// it is needed for, and call each other with what is asked for. Each rule answers with sentences about what breaks it.
import { dirname, join } from 'node:path/posix';
import { TOO_BROAD } from './role-rules.js';
import type { Grant, Roles } from './roles.js';

/** A resource or module of a Bicep file, with the source text of each property by its dotted path. */
export interface Declaration {
  readonly file: string;
  readonly what: 'resource' | 'module';
  readonly symbol: string;
  /** `Microsoft.KeyVault/vaults`, without its version; the path of a module. */
  readonly type: string;
  readonly existing: boolean;
  readonly properties: Readonly<Record<string, string>>;
}

export interface BicepFile {
  readonly file: string;
  readonly targetScope: string;
  readonly declarations: readonly Declaration[];
  /** Every string in it. */
  readonly strings: readonly string[];
  /** Its parameters, and whether one must be given. */
  readonly parameters: Readonly<Record<string, 'required' | 'optional'>>;
  readonly outputs: readonly string[];
  readonly text: string;
}

export const ROLE_ASSIGNMENT = 'Microsoft.Authorization/roleAssignments';

/** The place of deploy/roles.json that a resource is. Whatever is not here is more than one entity, vault or account. */
const PLACE_OF: Readonly<Record<string, Grant['at']>> = {
  'Microsoft.ServiceBus/namespaces/queues': 'queue',
  'Microsoft.ServiceBus/namespaces/topics': 'topic',
  'Microsoft.ServiceBus/namespaces/topics/subscriptions': 'subscription',
  'Microsoft.KeyVault/vaults': 'vault',
  'Microsoft.KeyVault/vaults/secrets': 'secret',
  'Microsoft.CognitiveServices/accounts': 'account',
};

/** What is wrong with the roles that the infrastructure assigns. */
export function infrastructureFaults(files: readonly BicepFile[], roles: Roles): readonly string[] {
  return [
    ...files.flatMap(({ file, strings }) =>
      Object.entries(TOO_BROAD)
        .filter(([name, id]) => strings.some((text) => text === name || text.toLowerCase().includes(id)))
        .map(([name]) => `${file}: ${name} is too broad`),
    ),
    ...files.flatMap((file) =>
      file.declarations
        .filter(({ type }) => type === ROLE_ASSIGNMENT)
        .flatMap((assignment) =>
          [...assignmentFaults(assignment, file, roles)].map(
            (fault) => `${file.file}: ${assignment.symbol}: ${fault}`,
          ),
        ),
    ),
    ...unassigned(files, roles),
  ];
}

function* assignmentFaults({ properties }: Declaration, file: BicepFile, roles: Roles): Generator<string> {
  const at = placeOf(properties['scope'], file);
  if (at === undefined) {
    yield `it is for ${properties['scope'] ?? 'everything'}, and not for one entity, vault, secret or account`;
    return;
  }
  const id = properties['properties.roleDefinitionId'] ?? '';
  const literal = /^roleIds\['([^']+)'\]$/.exec(id)?.[1];
  if (literal === undefined) {
    // The loops over roles.json itself.
    if (id !== 'roleIds[grant.role]') yield `its role ${id} is none of deploy/roles.json`;
  } else if (!roles.assignments.some((one) => one.role === literal && one.at === at)) {
    yield `deploy/roles.json assigns ${literal} to nobody at the ${at}`;
  }
}

function placeOf(
  scope: string | undefined,
  { targetScope, declarations }: BicepFile,
): Grant['at'] | undefined {
  if (scope === undefined) return targetScope === 'subscription' ? 'azure-subscription' : undefined;
  const symbol = /^(\w+)(?:\[\w+\])?$/.exec(scope)?.[1];
  return PLACE_OF[declarations.find((one) => one.symbol === symbol)?.type ?? ''];
}

/** A role of roles.json that no file assigns. Entities are assigned by loops, everything else by name. */
function* unassigned(files: readonly BicepFile[], roles: Roles): Generator<string> {
  const assigned = files.flatMap((file) =>
    file.declarations
      .filter(({ type }) => type === ROLE_ASSIGNMENT)
      .map(({ properties }) => ({
        at: placeOf(properties['scope'], file),
        id: properties['properties.roleDefinitionId'],
      })),
  );
  for (const { identity, role, at } of roles.assignments) {
    const place = at === 'key-changed-topic' ? 'topic' : at;
    const isThere = assigned.some(
      (one) => one.at === place && (one.id === 'roleIds[grant.role]' || one.id === `roleIds['${role}']`),
    );
    if (!isThere) yield `${identity}: nobody assigns ${role} at the ${at}`;
  }
}

/** What a compiler would say about modules: parameters that are missing or unknown, outputs that nobody gives. */
export function* moduleFaults(files: readonly BicepFile[]): Generator<string> {
  for (const { file, declarations, text } of files) {
    for (const { what, symbol, type, properties } of declarations) {
      if (what !== 'module') continue;
      const called = files.find((one) => one.file === join(dirname(file), type));
      if (called === undefined) {
        yield `${file}: ${symbol}: there is no ${type}`;
        continue;
      }
      const given = Object.keys(properties).flatMap((path) => /^params\.(\w+)/.exec(path)?.[1] ?? []);
      for (const name of given)
        if (!(name in called.parameters)) yield `${file}: ${symbol}: ${type} has no parameter ${name}`;
      for (const [name, need] of Object.entries(called.parameters))
        if (need === 'required' && !given.includes(name)) yield `${file}: ${symbol}: ${type} wants ${name}`;
      for (const [, output = ''] of text.matchAll(new RegExp(`\\b${symbol}\\.outputs\\.(\\w+)`, 'g')))
        if (!called.outputs.includes(output)) yield `${file}: ${type} has no output ${output}`;
    }
  }
}
