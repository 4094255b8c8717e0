// The variables of the services as a person without the services at hand can check them. The services have the last word; a
// spec holds this list against what their reference says: names, defaults, and whom each is for.
import type { About, Finding } from './finding.js';

export const SERVICES = ['scheduler', 'rotator', 'notifier', 'console'] as const;
export type ServiceName = (typeof SERVICES)[number];
export type Environment = Readonly<Record<string, string | undefined>>;

/** Completes the sentence "NAME …", or nothing where the text is fine. */
type Rule = (text: string) => string | undefined;

export interface KnownVariable {
  readonly for: readonly (ServiceName | 'clients')[];
  readonly rule: Rule;
  readonly required?: true;
  readonly fallback?: string;
  /** Its value is never shown. */
  readonly secret?: true;
}

const matching =
  (pattern: RegExp, says: string): Rule =>
  (text) =>
    pattern.test(text) ? undefined : says;
const between =
  (least: number, most: number, unit = 'number of seconds'): Rule =>
  (text) =>
    /^\d{1,9}(\.\d{1,3})?$/.test(text) && Number(text) >= least && Number(text) <= most
      ? undefined
      : `must be a ${unit} from ${least} to ${most}`;
const flag = matching(/^(true|false)$/, 'must be true or false');
const anything = matching(/\S/, 'must not be empty');
const url =
  (schemes: RegExp, says: string): Rule =>
  (text) =>
    URL.canParse(text) && schemes.test(new URL(text).protocol) ? undefined : says;
const http = url(/^https?:$/, 'must be a URL that starts with https:// or http://');
const port = between(0, 65_535, 'port');

const everyone = { for: SERVICES };
const portOf = (service: ServiceName, fallback: string): KnownVariable => ({
  for: [service],
  rule: port,
  fallback,
});
const secondsOf = (service: ServiceName, least: number, most: number, fallback?: string): KnownVariable => ({
  for: [service],
  rule: between(least, most),
  ...(fallback === undefined ? {} : { fallback }),
});

export const KNOWN: Readonly<Record<string, KnownVariable>> = {
  DATABASE_URL: {
    ...everyone,
    rule: url(/^postgres(ql)?:$/, 'must be of the form postgres://user:password@host:port/database'),
    required: true,
    secret: true,
  },
  SERVICEBUS_CONNECTION_STRING: {
    ...everyone,
    rule: matching(
      /^Endpoint=sb:\/\/[^;]+;.+/i,
      'must start with Endpoint=sb://HOST; and name a shared access key',
    ),
    secret: true,
  },
  TWINKEY_SERVICE_BUS_NAMESPACE: {
    ...everyone,
    rule: matching(/^[\w.-]+(:\d+)?$/, 'must be a host name without scheme or path'),
  },
  TWINKEY_SERVICE_BUS_ENDPOINT: {
    ...everyone,
    rule: matching(/^sb:\/\/[\w.-]+(:\d+)?\/?$/, 'must be of the form sb://HOST:PORT'),
  },
  TWINKEY_KEY_CHANGED_SHARDS: { ...everyone, rule: between(1, 1000, 'whole number'), fallback: '1' },
  TWINKEY_DISABLE_INSTANCE_DISCOVERY: { ...everyone, rule: flag, fallback: 'false' },
  TWINKEY_HTTP_HOST: { ...everyone, rule: anything, fallback: '127.0.0.1' },
  TWINKEY_METRICS_PORT: { ...everyone, rule: port },
  TWINKEY_API_AUDIENCE: { ...everyone, rule: matching(/^[^,]+(,[^,]+)*$/, 'must name audiences') },
  TWINKEY_LOG_LEVEL: {
    ...everyone,
    rule: matching(/^(debug|info|warn|error)$/, 'must be debug, info, warn or error'),
    fallback: 'info',
  },
  TWINKEY_LOG_FORMAT: {
    ...everyone,
    rule: matching(/^(json|pretty)$/, 'must be json or pretty'),
    fallback: 'json',
  },
  TWINKEY_SHUTDOWN_SECONDS: { ...everyone, rule: between(1, 3600), fallback: '20' },
  TWINKEY_SCHEDULER_PORT: portOf('scheduler', '4701'),
  TWINKEY_RESOURCE_MANAGER_ENDPOINT: {
    for: ['scheduler', 'rotator'],
    rule: http,
    fallback: 'https://management.azure.com',
  },
  TWINKEY_FILE: { for: ['scheduler'], rule: anything, fallback: './twinkey.yaml' },
  AZURE_SUBSCRIPTION_ID: {
    for: ['scheduler'],
    rule: matching(
      /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i,
      'must be a subscription id, 32 hex digits with dashes',
    ),
  },
  TWINKEY_KEY_VAULT_URL: { for: ['scheduler'], rule: http },
  TWINKEY_TICK_SECONDS: secondsOf('scheduler', 0.05, 3600, '5'),
  TWINKEY_ROTATOR_PORT: portOf('rotator', '4702'),
  TWINKEY_FINGERPRINT_SALT: {
    for: ['rotator'],
    rule: matching(/^[\s\S]{16,}$/, 'must have at least 16 characters'),
    required: true,
    secret: true,
  },
  TWINKEY_QUIESCENCE_SECONDS: secondsOf('rotator', 0, 86_400, '300'),
  TWINKEY_CALL_DEADLINE_SECONDS: secondsOf('rotator', 0.1, 300, '10'),
  TWINKEY_ACCOUNT_LEASE_SECONDS: secondsOf('rotator', 1, 3600, '30'),
  TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: { for: ['rotator'], rule: flag, fallback: 'false' },
  TWINKEY_SWEEP_SECONDS: secondsOf('rotator', 0.05, 3600, '30'),
  TWINKEY_NOTIFIER_PORT: portOf('notifier', '4703'),
  TWINKEY_HEARTBEAT_SECONDS: secondsOf('notifier', 0.05, 3600, '10'),
  TWINKEY_LEASE_SECONDS: secondsOf('notifier', 0.1, 86_400, '30'),
  TWINKEY_REREAD_SECONDS: secondsOf('notifier', 0.1, 86_400, '60'),
  TWINKEY_CLOCK_SKEW_SECONDS: secondsOf('notifier', 0, 3600, '5'),
  TWINKEY_WEBHOOK_ALLOW: { for: ['notifier'], rule: anything, fallback: 'public' },
  TWINKEY_WEBHOOK_SECRETS_DIR: { for: ['notifier'], rule: anything },
  TWINKEY_WEBHOOK_TIMEOUT_SECONDS: secondsOf('notifier', 0.1, 120, '15'),
  TWINKEY_CONSOLE_PORT: portOf('console', '4700'),
  TWINKEY_URL: { for: ['clients'], rule: http, fallback: 'http://127.0.0.1:4700' },
  TWINKEY_NOTIFIER_URL: { for: ['clients'], rule: http, fallback: 'http://127.0.0.1:4703' },
};

/** The value that a service would take; undefined when there is none, or none that it would accept. */
export function valueOf(environment: Environment, name: string): string | undefined {
  const known = KNOWN[name];
  const text = given(environment, name) ?? known?.fallback;
  return text === undefined || known?.rule(text) !== undefined ? undefined : text;
}

/** True when it is written in the environment; set to nothing is not set. */
export function isGiven(environment: Environment, name: string): boolean {
  return given(environment, name) !== undefined;
}

/** The services whose own required variables are here. */
export function servicesIn(environment: Environment): readonly ServiceName[] {
  return SERVICES.filter((service) =>
    Object.entries(KNOWN).every(
      ([name, { for: users, required }]) =>
        required !== true || users.length > 1 || users[0] !== service || isGiven(environment, name),
    ),
  );
}

/** All that is wrong with the variables of these services, each once. */
export function settingsFindings(
  environment: Environment,
  services: readonly ServiceName[],
): readonly Finding[] {
  const faults = [
    ...Object.entries(KNOWN).flatMap(([name, variable]) => faultOf(environment, services, name, variable)),
    ...unknownNames(environment),
    ...contradictions(environment, services),
  ];
  if (faults.length > 0) return faults;
  return services.map((service) => ({ about: service, check: 'its settings are complete', outcome: 'ok' }));
}

function faultOf(
  environment: Environment,
  services: readonly ServiceName[],
  name: string,
  { for: users, rule, required, secret }: KnownVariable,
): readonly Finding[] {
  if (!users.some((user) => user === 'clients' || services.includes(user))) return [];
  const about = users.length === 1 && users[0] !== 'clients' ? users[0] : undefined;
  const text = given(environment, name);
  if (text === undefined) return required === true ? [fault(name, 'is missing', about)] : [];
  const says = rule(text.trim());
  if (says === undefined) return [];
  return [fault(name, secret === true ? says : `${says}; it is "${text}"`, about)];
}

function unknownNames(environment: Environment): readonly Finding[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('TWINKEY_') && !(name in KNOWN))
    .map((name) => ({
      ...fault(name, 'is not known: a misspelt variable leaves its default in force'),
      mend: `unset ${name}   # the names that are known: docs/reference/configuration.md`,
    }));
}

/** What is fine alone and wrong together. */
function* contradictions(environment: Environment, services: readonly ServiceName[]): Generator<Finding> {
  const [connection, namespace] = ['SERVICEBUS_CONNECTION_STRING', 'TWINKEY_SERVICE_BUS_NAMESPACE'].map(
    (name) => isGiven(environment, name),
  );
  if (connection === namespace) {
    yield connection === true
      ? {
          ...fault('TWINKEY_SERVICE_BUS_NAMESPACE', 'and SERVICEBUS_CONNECTION_STRING exclude each other'),
          mend: 'unset SERVICEBUS_CONNECTION_STRING',
        }
      : fault('TWINKEY_SERVICE_BUS_NAMESPACE', 'or SERVICEBUS_CONNECTION_STRING must be set');
  }
  const host = valueOf(environment, 'TWINKEY_HTTP_HOST') ?? '';
  const isGuarded = isGiven(environment, 'TWINKEY_API_AUDIENCE');
  if (!isGuarded && !/^(127(\.\d{1,3}){3}|::1|localhost)$/i.test(host))
    yield fault(
      'TWINKEY_API_AUDIENCE',
      `must be set when TWINKEY_HTTP_HOST (${host}) lets other machines ask`,
    );
  if (isGuarded && !isGiven(environment, 'AZURE_TENANT_ID'))
    yield fault(
      'AZURE_TENANT_ID',
      'is missing: with TWINKEY_API_AUDIENCE set, tokens of that tenant are asked for',
    );
  const authority = given(environment, 'AZURE_AUTHORITY_HOST') ?? 'https://login.microsoftonline.com';
  if (
    valueOf(environment, 'TWINKEY_DISABLE_INSTANCE_DISCOVERY') === 'true' &&
    /\bmicrosoftonline\./i.test(authority)
  )
    yield fault('TWINKEY_DISABLE_INSTANCE_DISCOVERY', 'must be false with a public authority of Microsoft');
  for (const [service, shorter, longer] of [
    ['rotator', 'TWINKEY_CALL_DEADLINE_SECONDS', 'TWINKEY_ACCOUNT_LEASE_SECONDS'],
    ['notifier', 'TWINKEY_HEARTBEAT_SECONDS', 'TWINKEY_LEASE_SECONDS'],
  ] as const) {
    const [less, more] = [shorter, longer].map((name) => Number(valueOf(environment, name)));
    if (services.includes(service) && less !== undefined && more !== undefined && less >= more)
      yield fault(shorter, `must be shorter than ${longer}; they are ${less} and ${more} seconds`, service);
  }
}

function fault(name: string, says: string, about: About = 'installation'): Finding {
  return {
    about,
    check: `setting ${name}`,
    outcome: 'failed',
    detail: says,
    mend: `export ${name}=…   # docs/reference/configuration.md says what goes there`,
  };
}

function given(environment: Environment, name: string): string | undefined {
  const text = environment[name];
  return text === undefined || text === '' ? undefined : text;
}
