import { isRole, type RoleAssignment } from '../entra/roles.js';
import type { ApplicationDefinition, FederatedCredential } from '../entra/state.js';
import { ControlInvalid } from './control-invalid.js';
import { isObject } from './plugin.js';

type Fields = Readonly<Record<string, unknown>>;
type AppRole = NonNullable<ApplicationDefinition['appRoles']>[number];

/** An application as JSON. Throws {@link ControlInvalid} at the first field that breaks a rule. */
export function parseApplication(value: unknown): ApplicationDefinition {
  const fields = objectAt(value, 'application', [
    'name',
    'clientId',
    'clientSecret',
    'federatedCredentials',
    'assignments',
    'identifierUris',
    'appRoles',
    'accessTokenVersion',
    'managedIdentity',
  ]);
  return {
    name: textAt(fields, 'name', '') ?? refuse('name: a text was expected.'),
    ...definite({
      clientId: textAt(fields, 'clientId', ''),
      clientSecret: textAt(fields, 'clientSecret', ''),
      federatedCredentials: listAt(fields, 'federatedCredentials', '', parseFederatedCredential),
      assignments: listAt(fields, 'assignments', '', parseAssignment),
      identifierUris: listAt(fields, 'identifierUris', '', text),
      appRoles: listAt(fields, 'appRoles', '', parseAppRole),
      accessTokenVersion: parseTokenVersion(fields['accessTokenVersion']),
      managedIdentity: parseFlag(fields['managedIdentity'], 'managedIdentity'),
    }),
  };
}

function parseTokenVersion(value: unknown): 1 | 2 | undefined {
  if (value === undefined || value === 1 || value === 2) return value;
  return refuse('accessTokenVersion: 1 or 2 was expected.');
}

function parseFlag(value: unknown, at: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  return refuse(`${at}: true or false was expected.`);
}

function parseFederatedCredential(value: unknown, at: string): FederatedCredential {
  const fields = objectAt(value, at, ['issuer', 'subject', 'audience', 'jwks']);
  return {
    subject: textAt(fields, 'subject', at) ?? refuse(`${at}.subject: a text was expected.`),
    ...definite({
      issuer: textAt(fields, 'issuer', at),
      audience: textAt(fields, 'audience', at),
      jwks: fields['jwks'] === undefined ? undefined : parseKeySet(fields['jwks'], `${at}.jwks`),
    }),
  };
}

function parseKeySet(value: unknown, at: string): NonNullable<FederatedCredential['jwks']> {
  const fields = objectAt(value, at, ['keys']);
  const keys = listAt(fields, 'keys', at, (one, where) =>
    isObject(one) ? one : refuse(`${where}: a JSON Web Key was expected.`),
  );
  return { keys: keys ?? refuse(`${at}.keys: a list of JSON Web Keys was expected.`) };
}

function parseAssignment(value: unknown, at: string): RoleAssignment {
  const fields = objectAt(value, at, ['role', 'actions', 'dataActions', 'scope']);
  const role = textAt(fields, 'role', at);
  if (role !== undefined && !isRole(role))
    refuse(`${at}.role: no such role "${role}"; the README lists them.`);
  return definite({
    role,
    actions: listAt(fields, 'actions', at, text),
    dataActions: listAt(fields, 'dataActions', at, text),
    scope: textAt(fields, 'scope', at),
  });
}

function parseAppRole(value: unknown, at: string): AppRole {
  const fields = objectAt(value, at, ['resource', 'role']);
  return {
    resource: textAt(fields, 'resource', at) ?? refuse(`${at}.resource: a text was expected.`),
    role: textAt(fields, 'role', at) ?? refuse(`${at}.role: a text was expected.`),
  };
}

function objectAt(value: unknown, at: string, known: readonly string[]): Fields {
  if (!isObject(value)) return refuse(`${at}: an object was expected.`);
  const strange = Object.keys(value).find((field) => !known.includes(field));
  if (strange !== undefined) refuse(`${at}.${strange}: no such field; there are ${known.join(', ')}.`);
  return value;
}

function textAt(fields: Fields, field: string, at: string): string | undefined {
  const value = fields[field];
  return value === undefined ? undefined : text(value, at === '' ? field : `${at}.${field}`);
}

function text(value: unknown, at: string): string {
  return typeof value === 'string' && value !== '' ? value : refuse(`${at}: a text was expected.`);
}

function listAt<T>(
  fields: Fields,
  field: string,
  at: string,
  parse: (one: unknown, at: string) => T,
): readonly T[] | undefined {
  const value = fields[field];
  const here = at === '' ? field : `${at}.${field}`;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return refuse(`${here}: a list was expected.`);
  return value.map((one, index) => parse(one, `${here}[${index}]`));
}

/** Without what was not said. */
function definite<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function refuse(message: string): never {
  throw new ControlInvalid(message);
}
