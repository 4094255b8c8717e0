// Who asks over HTTP, and what they may. The roles are app roles of the API's registration in Entra, `twinkey.<role>`.

/** `read`: look at everything. `operate`: also act on rotations. `admin`: also what excuses consumers. `consumer`: be one. */
export const ROLES = ['read', 'operate', 'admin', 'consumer'] as const;
export type Role = (typeof ROLES)[number];

const INCLUDED: Readonly<Record<Role, readonly Role[]>> = {
  read: ['read'],
  operate: ['operate', 'read'],
  admin: ['admin', 'operate', 'read'],
  consumer: ['consumer'],
};

export interface Caller {
  /** The object id of the identity in Entra. */
  readonly id: string;
  /** What people know it by: a user's sign-in name, else the application's id. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** The consumers that it may be an instance of: all, or those of its roles `twinkey.consumer.<name>`. */
  readonly consumers: 'any' | ReadonlySet<string>;
  /** When the token is over, in milliseconds since 1970: an answer that goes on for longer has to end then. */
  readonly until?: number;
}

/** Whoever reaches a service that asks for no token: it listens to this machine only. */
export const ANYONE: Caller = { id: 'anyone', name: 'anyone', roles: new Set(ROLES), consumers: 'any' };

/** What the claims of a verified token say. Roles that are not ours are passed over. */
export function callerOf(claims: Readonly<Record<string, unknown>>): Caller {
  const given = Array.isArray(claims['roles'])
    ? claims['roles'].filter((role) => typeof role === 'string')
    : [];
  const named = given.flatMap((role) => /^twinkey\.consumer\.([a-z0-9-]{1,63})$/.exec(role)?.[1] ?? []);
  const roles = ROLES.filter((role) => given.includes(`twinkey.${role}`)).flatMap((role) => INCLUDED[role]);
  const text = (...names: string[]) =>
    names
      .map((name) => claims[name])
      .find((value): value is string => typeof value === 'string' && value !== '');
  return {
    id: text('oid', 'sub') ?? 'unknown',
    name: text('preferred_username', 'upn', 'unique_name', 'appid', 'azp', 'oid') ?? 'unknown',
    roles: new Set<Role>(named.length > 0 ? [...roles, 'consumer'] : roles),
    consumers: given.includes('twinkey.consumer') ? 'any' : new Set(named),
    ...(typeof claims['exp'] === 'number' ? { until: claims['exp'] * 1_000 } : {}),
  };
}

export function mayBe({ consumers }: Caller, consumer: string): boolean {
  return consumers === 'any' || consumers.has(consumer);
}

/** The app roles that open what this role opens, for a refusal that says what to grant. */
export function rolesThatInclude(role: Role): readonly string[] {
  const opening = ROLES.filter((each) => INCLUDED[each].includes(role)).map((each) => `twinkey.${each}`);
  return role === 'consumer' ? [...opening, 'twinkey.consumer.<name>'] : opening;
}
