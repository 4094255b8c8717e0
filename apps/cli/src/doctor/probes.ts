// How the doctor reaches what it looks at. Everything here reads; nothing changes anything, and no key is ever shown to it.
import type { TokenCredential } from '@azure/identity';
import type { AccountId } from '@twinkey/contracts';
import { inspectSchema, openDatabase, type SchemaInspection } from '@twinkey/journal';
import {
  AccountKeys,
  lookAtVault,
  permissionsAt,
  resourceManagerScope,
  type ClientOptions,
  type FoundAccount,
  type Permissions,
  type VaultLook,
} from '@twinkey/key-store';
import { reachOf, type Reach } from '@twinkey/service-bus';
import { DATABASE_TOKEN_SCOPE, settingOf, type Environment, type ServiceName } from '@twinkey/settings';
import { call, readText } from '../http-call.js';
import type { Who } from './mend.js';

const ANSWER_WITHIN_MS = 10_000;
const PUBLIC_RESOURCE_MANAGER = 'https://management.azure.com';

/** A clock that was read from here, by how many milliseconds it is ahead of ours. */
export interface ClockReading {
  readonly aheadMs: number;
}

export interface Probes {
  /** Rejects when Entra gives no token. */
  who(): Promise<Who>;
  account(account: AccountId): Promise<FoundAccount>;
  accounts(subscription: string): Promise<readonly FoundAccount[]>;
  permissions(account: AccountId): Promise<Permissions>;
  vault(url: string): VaultLook;
  readonly bus: Reach;
  schema(service: ServiceName): Promise<SchemaInspection & ClockReading>;
  /** The status of an answer, and Azure's or another's clock by its Date header. */
  answer(url: string): Promise<{ readonly status: number; readonly clock?: ClockReading }>;
  close(): Promise<void>;
}

export interface ProbeSettings {
  readonly environment: Environment;
  readonly credential: TokenCredential;
  readonly clientOptions?: ClientOptions;
}

/** Opens nothing yet. Throws a PermanentFault for settings of Service Bus that cannot work. */
export function probesFor({ environment, credential, clientOptions }: ProbeSettings): Probes {
  const value = (name: string) => settingOf(environment, name);
  const endpoint = (value('TWINKEY_RESOURCE_MANAGER_ENDPOINT') ?? PUBLIC_RESOURCE_MANAGER).replace(
    /\/+$/,
    '',
  );
  const clients = clientOptions === undefined ? {} : { clientOptions };
  const keys = new AccountKeys({ credential, endpoint, ...clients });
  const bus = reachOf(
    {
      connectionString: value('SERVICEBUS_CONNECTION_STRING'),
      namespace: value('TWINKEY_SERVICE_BUS_NAMESPACE'),
      endpoint: value('TWINKEY_SERVICE_BUS_ENDPOINT'),
    },
    credential,
  );
  const tokenFor = async (scope: string) => {
    const granted = await credential.getToken(scope);
    if (granted === null) throw new Error('no token was issued');
    return granted.token;
  };
  const tokens = () => tokenFor(DATABASE_TOKEN_SCOPE);
  return {
    who: async () => claimsOf(await tokenFor(resourceManagerScope(endpoint))),
    account: (account) => keys.account(account),
    accounts: async (subscription) => {
      const found: FoundAccount[] = [];
      for await (const each of keys.accounts(subscription)) found.push(each);
      return found;
    },
    permissions: (account) => permissionsAt(account, { credential, endpoint, ...clients }),
    vault: (url) =>
      lookAtVault(url, {
        credential,
        disableChallengeCheck: value('TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK') === 'true',
        ...clients,
      }),
    bus,
    schema: (service) =>
      schemaOf(value('DATABASE_URL') ?? '', service, signsInWithEntra(environment) ? tokens : undefined),
    answer,
    close: () => bus.close(),
  };
}

/** Whether the database is shown a token of the identity in place of a password. */
export function signsInWithEntra(environment: Environment): boolean {
  return settingOf(environment, 'TWINKEY_DATABASE_ENTRA') === 'true';
}

/** Who a token was issued to. It is read and not verified: the services of Azure do that. */
export function claimsOf(token: string): Who {
  const [, payload = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Readonly<
    Record<string, string | undefined>
  >;
  const isPerson = claims['idtyp'] === 'user' || claims['upn'] !== undefined;
  return {
    objectId: claims['oid'] ?? '',
    kind: isPerson ? 'User' : 'ServicePrincipal',
    clientId: claims['appid'] ?? claims['azp'] ?? '',
    tenantId: claims['tid'] ?? '',
  };
}

async function schemaOf(
  url: string,
  service: ServiceName,
  password: (() => Promise<string>) | undefined,
): Promise<SchemaInspection & ClockReading> {
  const database = await openDatabase({
    url,
    ...(password === undefined ? {} : { password }),
    schema: service,
    applicationName: 'twinkey doctor',
    poolSize: 2,
  });
  try {
    await database.ping(); // connecting takes time, and is no part of the clock's
    const before = Date.now();
    const seen = await inspectSchema(database);
    return { ...seen, aheadMs: ahead(seen.now.getTime(), before, Date.now()) };
  } finally {
    await database.close();
  }
}

async function answer(url: string): Promise<{ readonly status: number; readonly clock?: ClockReading }> {
  const before = Date.now();
  const answered = await call(url, {
    method: 'GET',
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
  });
  const after = Date.now();
  await readText(answered);
  const date = Date.parse(answered.headers.date ?? '');
  if (Number.isNaN(date)) return { status: answered.status };
  // The header counts whole seconds, rounded down.
  return { status: answered.status, clock: { aheadMs: ahead(date + 500, before, after) } };
}

/** How far a clock is ahead that said `then` between two looks at ours; 0 where it may be right. */
export function ahead(then: number, before: number, after: number): number {
  if (then < before) return then - before;
  return then > after ? then - after : 0;
}
