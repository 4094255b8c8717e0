// What an identity may do at a resource, as Resource Manager says it. For actions that cannot be tried: to list keys shows
// them, to regenerate one changes it.
import type { TokenCredential } from '@azure/core-auth';
import {
  bearerTokenAuthenticationPolicy,
  createHttpHeaders,
  createPipelineFromOptions,
  createDefaultHttpClient,
  createPipelineRequest,
  type PipelineOptions,
} from '@azure/core-rest-pipeline';
import { scopeOf } from './cognitive-keys.js';
import { armFault } from './faults.js';
import { readWithin } from './read-within.js';

/** One role's share; patterns may hold `*`, and case does not matter. */
export interface Permission {
  readonly actions?: readonly string[];
  readonly notActions?: readonly string[];
  readonly dataActions?: readonly string[];
  readonly notDataActions?: readonly string[];
}

/** What all roles together give; `unknown` where this identity, or this Azure, cannot be asked. */
export type Permissions = readonly Permission[] | 'unknown';

const API_VERSION = '2022-04-01';
const DEADLINE_MS = 30_000;

export interface PermissionsOptions {
  readonly credential: TokenCredential;
  readonly endpoint: string;
  readonly clientOptions?: PipelineOptions;
}

/** Asks for the permissions at an ARM id. Throws a TransientFault when nobody answers. */
export async function permissionsAt(
  id: string,
  { credential, endpoint, clientOptions = {} }: PermissionsOptions,
): Promise<Permissions> {
  const pipeline = createPipelineFromOptions(clientOptions);
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: scopeOf(endpoint) }));
  const url = `${endpoint}${id}/providers/Microsoft.Authorization/permissions?api-version=${API_VERSION}`;
  const answer = await readWithin(
    DEADLINE_MS,
    (abortSignal) =>
      pipeline.sendRequest(
        createDefaultHttpClient(),
        createPipelineRequest({
          url,
          abortSignal,
          headers: createHttpHeaders({ accept: 'application/json' }),
        }),
      ),
    armFault,
  );
  if (answer.status !== 200) return 'unknown';
  const { value } = JSON.parse(answer.bodyAsText ?? '{}') as { value?: readonly Permission[] };
  return value ?? 'unknown';
}

/** Which of these actions no permission gives. A role takes back only what it gave itself. */
export function lacking(
  permissions: readonly Permission[],
  { actions, dataActions }: { readonly actions: readonly string[]; readonly dataActions: readonly string[] },
): readonly string[] {
  const isGiven =
    (given: keyof Permission, taken: keyof Permission) =>
    (action: string): boolean =>
      permissions.some(
        (permission) =>
          (permission[given] ?? []).some((pattern) => covers(pattern, action)) &&
          !(permission[taken] ?? []).some((pattern) => covers(pattern, action)),
      );
  return [
    ...actions.filter((action) => !isGiven('actions', 'notActions')(action)),
    ...dataActions.filter((action) => !isGiven('dataActions', 'notDataActions')(action)),
  ];
}

function covers(pattern: string, action: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'i').test(action);
}
