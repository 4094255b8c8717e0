import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Table } from '../host/persist.js';
import { isRole, permits, roleNames, type Need, type RoleAssignment } from './roles.js';

/** Whose projected tokens an application accepts instead of a secret. */
export interface FederatedCredential {
  /** The emulator's own issuer unless said; another one needs `jwks`. */
  readonly issuer?: string;
  readonly subject: string;
  /** `api://AzureADTokenExchange` unless said. */
  readonly audience?: string;
  /** The public keys of a foreign issuer: the emulator calls nobody. */
  readonly jwks?: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
}

/** An application to register. Without assignments it may do nothing. */
export interface ApplicationDefinition {
  readonly name: string;
  /** Made at random once and kept, unless given. */
  readonly clientId?: string;
  /** Made at random once and kept, unless given. */
  readonly clientSecret?: string;
  readonly federatedCredentials?: readonly FederatedCredential[];
  readonly assignments?: readonly RoleAssignment[];
  /** For an application that is an API: what others ask tokens for. */
  readonly identifierUris?: readonly string[];
  /** For an API: the version of tokens that it accepts; 1 unless said, as in Entra. */
  readonly accessTokenVersion?: 1 | 2;
  /** It is the identity of a machine or a program: whoever asks on this machine gets its tokens without a proof. */
  readonly managedIdentity?: boolean;
  /** Roles of other applications' APIs; they arrive as the claim `roles` in tokens for that resource. */
  readonly appRoles?: readonly { readonly resource: string; readonly role: string }[];
}

export interface Application extends Required<Omit<ApplicationDefinition, 'clientSecret'>> {
  readonly objectId: string;
  readonly clientSecret: string;
}

/** What no caller chooses. */
export interface Chance {
  readonly id: () => string;
  readonly secret: () => string;
}

const trueChance: Chance = { id: randomUUID, secret: () => randomBytes(30).toString('base64url') };

/** The tenant's applications: who they are, how they prove it, what they may do. */
export class Directory {
  readonly #table: Table<Application>;

  constructor(
    readonly tenantId: string,
    readonly subscriptionId: string,
    table: Table<Application>,
    /** Makes the ids and secrets that a definition leaves out. */
    private readonly chance: Chance = trueChance,
  ) {
    this.#table = table;
  }

  /** Registers or redefines the application of that name; its ids and secret stay unless new ones are given. */
  register(definition: ApplicationDefinition): Application {
    const before = this.#byName(definition.name);
    for (const { role } of definition.assignments ?? []) {
      if (role !== undefined && !isRole(role)) throw new Error(unknownRole(definition.name, role));
    }
    const application: Application = {
      name: definition.name,
      clientId: (definition.clientId ?? before?.clientId ?? this.chance.id()).toLowerCase(),
      objectId: before?.objectId ?? this.chance.id(),
      clientSecret: definition.clientSecret ?? before?.clientSecret ?? this.chance.secret(),
      federatedCredentials: definition.federatedCredentials ?? [],
      assignments: definition.assignments ?? [],
      identifierUris: definition.identifierUris ?? [],
      accessTokenVersion: definition.accessTokenVersion ?? 1,
      managedIdentity: definition.managedIdentity ?? false,
      appRoles: definition.appRoles ?? [],
    };
    if (before !== undefined && before.clientId !== application.clientId)
      this.#table.write([before.clientId, undefined]);
    this.#table.write([application.clientId, application]);
    return application;
  }

  application(clientId: string): Application | undefined {
    return this.#table.get(clientId.toLowerCase());
  }

  applications(): readonly Application[] {
    return [...this.#table.entries()].map(([, application]) => application);
  }

  hasSecret(application: Application, secret: string): boolean {
    return timingSafeEqual(digest(application.clientSecret), digest(secret));
  }

  permits(clientId: string, need: Need): boolean {
    const assignments = this.application(clientId)?.assignments ?? [];
    return permits(assignments, need, `/subscriptions/${this.subscriptionId}`);
  }

  /** The application that is the API of that audience, by its client id or one of its URIs. */
  resource(audience: string): Application | undefined {
    const resource = audience.replace(/\/+$/, '');
    return this.applications().find((one) => namesOf(one).includes(resource));
  }

  appRoles(application: Application, audience: string): readonly string[] {
    const api = this.resource(audience);
    const names = [audience.replace(/\/+$/, ''), ...(api === undefined ? [] : namesOf(api))];
    return application.appRoles.filter((grant) => names.includes(grant.resource)).map(({ role }) => role);
  }

  #byName(name: string): Application | undefined {
    return this.applications().find((application) => application.name === name);
  }
}

function namesOf({ clientId, identifierUris }: Application): readonly string[] {
  return [clientId, ...identifierUris];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function unknownRole(application: string, role: string): string {
  return (
    `Application "${application}": no role "${role}". Use one of ${roleNames.join(', ')}, ` +
    `its id, or name "actions" and "dataActions".`
  );
}
