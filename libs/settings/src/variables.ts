// Every environment variable of the installation. The services read their configuration through this list, and
// `.env.example` and the reference page are generated from it.
import { z } from 'zod';
import {
  flag,
  httpUrl,
  optionalVariable,
  port,
  seconds,
  SERVICE_NAMES,
  text,
  variable,
  wholeNumber,
  type ServiceName,
  type UsedBy,
  type Variable,
} from './variable.js';

const everyService = SERVICE_NAMES;

/** What every service reads. */
export const BASE_VARIABLES = {
  DATABASE_URL: variable({
    field: 'databaseUrl',
    what: 'The PostgreSQL database. Every service keeps to its own schema in it.',
    example: 'postgres://twinkey:password@localhost:5432/twinkey',
    secret: true,
    usedBy: everyService,
    read: z.url({
      protocol: /^postgres(ql)?$/,
      error: 'must be of the form postgres://user:password@host:port/database',
    }),
  }),
  TWINKEY_DATABASE_ENTRA: variable({
    field: 'databaseEntra',
    what: 'Sign in to PostgreSQL with the Entra identity of the service: each new connection presents a token. DATABASE_URL then names the role and no password, and ends in ?sslmode=verify-full.',
    example: 'true',
    fallback: 'false',
    usedBy: everyService,
    read: flag,
  }),
  SERVICEBUS_CONNECTION_STRING: optionalVariable({
    field: 'serviceBusConnectionString',
    what: 'The Service Bus namespace as a connection string: for the embedded broker, or where no Entra identity is at hand.',
    example:
      'Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=root;SharedAccessKey=secret;UseDevelopmentEmulator=true',
    secret: true,
    usedBy: everyService,
    read: text.regex(
      /^Endpoint=sb:\/\/[^;]+;.+/i,
      'must start with Endpoint=sb://HOST; and name a shared access key',
    ),
  }),
  TWINKEY_SERVICE_BUS_NAMESPACE: optionalVariable({
    field: 'serviceBusNamespace',
    what: 'The host name of the Service Bus namespace, reached with the Entra identity of the service. Use it instead of a connection string.',
    example: 'contoso-bus.servicebus.windows.net',
    usedBy: everyService,
    read: text.regex(/^[\w.-]+(:\d+)?$/, 'must be a host name without scheme or path'),
  }),
  TWINKEY_SERVICE_BUS_ENDPOINT: optionalVariable({
    field: 'serviceBusEndpoint',
    what: 'Where the namespace is really reached (a private endpoint, a proxy), if not under its own name.',
    example: 'sb://10.1.2.3:5671',
    usedBy: everyService,
    read: text.regex(/^sb:\/\/[\w.-]+(:\d+)?\/?$/, 'must be of the form sb://HOST:PORT'),
  }),
  TWINKEY_KEY_CHANGED_SHARDS: variable({
    field: 'keyChangedShards',
    what: 'How many key-changed topics there are. Must be the same for all services and match the topics that exist.',
    example: '4',
    fallback: '1',
    usedBy: everyService,
    read: wholeNumber(1, 1_000),
  }),
  TWINKEY_DISABLE_INSTANCE_DISCOVERY: variable({
    field: 'disableInstanceDiscovery',
    what: 'Trust AZURE_AUTHORITY_HOST without asking Microsoft about it. Needed for a private authority, refused for a public one.',
    example: 'true',
    fallback: 'false',
    usedBy: everyService,
    read: flag,
  }),
  TWINKEY_HTTP_HOST: variable({
    field: 'httpHost',
    what: 'The address on which the service listens. In a container: 0.0.0.0.',
    example: '0.0.0.0',
    fallback: '127.0.0.1',
    usedBy: everyService,
    read: text,
  }),
  TWINKEY_METRICS_PORT: optionalVariable({
    field: 'metricsPort',
    what: 'The port for health and metrics, on the same address. Nobody is asked for a token there: keep it inside the cluster. Not set, it is 10 above the port of the service; 0 takes a free one.',
    example: '9464',
    usedBy: everyService,
    read: port,
  }),
  TWINKEY_API_AUDIENCE: optionalVariable({
    field: 'apiAudience',
    what: 'Who Entra tokens for the HTTP APIs are made out to: the application id URI of their registration, and its client id if that asks for tokens of version 2. Not set, no token is asked for, and only this machine may ask.',
    example: 'api://twinkey',
    usedBy: [...everyService, 'cli', 'consumer'],
    read: text
      .transform((list) => list.split(',').map((each) => each.trim().replace(/\/+$/, '')))
      .pipe(z.array(z.string().min(1, 'must name audiences, separated by commas')).min(1)),
  }),
  TWINKEY_REQUESTS_PER_SECOND: variable({
    field: 'requestsPerSecond',
    what: 'How many requests an identity may make at each replica of a service, those of five seconds at once; more are refused with 429. Raise it for the notifier where more than 2,000 instances share an identity. Counts where tokens are asked for.',
    example: '500',
    fallback: '200',
    usedBy: everyService,
    read: wholeNumber(1, 1_000_000),
  }),
  TWINKEY_LOG_LEVEL: variable({
    field: 'logLevel',
    what: 'The least important messages that are logged: debug, info, warn or error.',
    example: 'debug',
    fallback: 'info',
    usedBy: everyService,
    read: z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error'),
  }),
  TWINKEY_LOG_FORMAT: variable({
    field: 'logFormat',
    what: 'json for machines, pretty for a terminal.',
    example: 'pretty',
    fallback: 'json',
    usedBy: everyService,
    read: z.enum(['json', 'pretty'], 'must be json or pretty'),
  }),
  TWINKEY_SHUTDOWN_SECONDS: variable({
    field: 'shutdownSeconds',
    what: 'How long a service may take to finish what it is doing after SIGTERM. Keep it below terminationGracePeriodSeconds.',
    example: '25',
    fallback: '20',
    usedBy: everyService,
    read: seconds(1, 3_600),
  }),
};

const portOf = (service: ServiceName, fallback: string) =>
  variable({
    field: 'port',
    what: `The HTTP port of the ${service}. 0 takes a free one.`,
    example: fallback,
    fallback,
    usedBy: [service],
    read: port,
  });

/** One port each, so that all services can share a machine and a file of variables. */
export const PORT_VARIABLES = {
  TWINKEY_CONSOLE_PORT: portOf('console', '4700'),
  TWINKEY_SCHEDULER_PORT: portOf('scheduler', '4701'),
  TWINKEY_ROTATOR_PORT: portOf('rotator', '4702'),
  TWINKEY_NOTIFIER_PORT: portOf('notifier', '4703'),
};

export const PORT_VARIABLE = {
  console: 'TWINKEY_CONSOLE_PORT',
  scheduler: 'TWINKEY_SCHEDULER_PORT',
  rotator: 'TWINKEY_ROTATOR_PORT',
  notifier: 'TWINKEY_NOTIFIER_PORT',
} as const satisfies Record<ServiceName, keyof typeof PORT_VARIABLES>;

/** What a service asks for by name in its definition. */
export const VARIABLES = {
  TWINKEY_RESOURCE_MANAGER_ENDPOINT: variable({
    field: 'resourceManagerEndpoint',
    what: 'Azure Resource Manager.',
    example: 'https://management.usgovcloudapi.net',
    fallback: 'https://management.azure.com',
    usedBy: ['scheduler', 'rotator'],
    read: httpUrl,
  }),
  TWINKEY_FINGERPRINT_SALT: variable({
    field: 'fingerprintSalt',
    what: 'The secret under which keys are fingerprinted. Never change it: known fingerprints would no longer match.',
    example: 'the output of: openssl rand -hex 32',
    secret: true,
    usedBy: ['rotator'],
    read: z.string().min(16, 'must have at least 16 characters'),
  }),
  TWINKEY_QUIESCENCE_SECONDS: variable({
    field: 'quiescenceSeconds',
    what: 'How long a call without an answer may still take effect in Azure. Only then is its outcome judged.',
    example: '600',
    fallback: '300',
    usedBy: ['rotator'],
    read: seconds(0, 86_400),
  }),
  TWINKEY_CALL_DEADLINE_SECONDS: variable({
    field: 'callDeadlineSeconds',
    what: 'How long a call to Resource Manager or Key Vault may take. Must be shorter than the account lease.',
    example: '15',
    fallback: '10',
    usedBy: ['rotator'],
    read: seconds(0.1, 300),
  }),
  TWINKEY_ACCOUNT_LEASE_SECONDS: variable({
    field: 'accountLeaseSeconds',
    what: 'How long a rotator owns an account before another one may take over.',
    example: '60',
    fallback: '30',
    usedBy: ['rotator'],
    read: seconds(1, 3_600),
  }),
  TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK: variable({
    field: 'disableVaultChallengeCheck',
    what: 'Accept a vault whose name is not below the domain of its token. Only for vaults on loopback or inside the cluster.',
    example: 'true',
    fallback: 'false',
    usedBy: ['rotator'],
    read: flag,
  }),
  TWINKEY_SWEEP_SECONDS: variable({
    field: 'sweepSeconds',
    what: 'How often the rotator looks at open rotations although no message told it to.',
    example: '10',
    fallback: '30',
    usedBy: ['rotator'],
    read: seconds(0.05, 3_600),
  }),
  TWINKEY_FILE: variable({
    field: 'file',
    what: 'The file with accounts and policies.',
    example: '/etc/twinkey/twinkey.yaml',
    fallback: './twinkey.yaml',
    usedBy: ['scheduler'],
    read: text,
  }),
  AZURE_SUBSCRIPTION_ID: optionalVariable({
    field: 'subscriptionId',
    what: 'The subscription in which accounts are discovered.',
    example: '00000000-0000-0000-0000-000000000000',
    usedBy: ['scheduler'],
    read: z.guid('must be a subscription id, 32 hex digits with dashes'),
  }),
  TWINKEY_KEY_VAULT_URL: optionalVariable({
    field: 'keyVaultUrl',
    what: 'The vault of accounts whose policy names none.',
    example: 'https://contoso-keys.vault.azure.net',
    usedBy: ['scheduler'],
    read: httpUrl,
  }),
  TWINKEY_TICK_SECONDS: variable({
    field: 'tickSeconds',
    what: 'How often the scheduler judges which accounts are due.',
    example: '60',
    fallback: '5',
    usedBy: ['scheduler'],
    read: seconds(0.05, 3_600),
  }),
  TWINKEY_HEARTBEAT_SECONDS: variable({
    field: 'heartbeatSeconds',
    what: 'How often instances are told to report. Must be shorter than the lease.',
    example: '5',
    fallback: '10',
    usedBy: ['notifier'],
    read: seconds(0.05, 3_600),
  }),
  TWINKEY_LEASE_SECONDS: variable({
    field: 'leaseSeconds',
    what: 'How long an instance counts as alive after its last report.',
    example: '60',
    fallback: '30',
    usedBy: ['notifier'],
    read: seconds(0.1, 86_400),
  }),
  TWINKEY_REREAD_SECONDS: variable({
    field: 'rereadSeconds',
    what: 'How long an instance may use its key without reading Key Vault again.',
    example: '120',
    fallback: '60',
    usedBy: ['notifier'],
    read: seconds(0.1, 86_400),
  }),
  TWINKEY_CLOCK_SKEW_SECONDS: variable({
    field: 'clockSkewSeconds',
    what: 'How far the clocks of services and instances may be apart.',
    example: '10',
    fallback: '5',
    usedBy: ['notifier'],
    read: seconds(0, 3_600),
  }),
  TWINKEY_WEBHOOK_ALLOW: variable({
    field: 'webhookAllow',
    what: 'Where webhooks may be sent: "public" (any public address over HTTPS), hosts, .domains, addresses and ranges, separated by commas; http:// in front allows plain HTTP, :PORT behind another port. Internal networks are refused unless they are named.',
    example: '.contoso.example,10.1.0.0/16:8443',
    fallback: 'public',
    usedBy: ['notifier'],
    read: text,
  }),
  TWINKEY_WEBHOOK_SECRETS_DIR: optionalVariable({
    field: 'webhookSecretsDir',
    what: 'The folder with the secrets that sign webhooks, one file per name, read for each attempt; NAME.previous signs too, while a secret is replaced. Not set, no webhook is sent.',
    example: '/etc/twinkey/webhook-secrets',
    usedBy: ['notifier'],
    read: text,
  }),
  TWINKEY_WEBHOOK_TIMEOUT_SECONDS: variable({
    field: 'webhookTimeoutSeconds',
    what: 'How long an attempt to deliver a webhook may take, from the look-up of the name to the end of the answer.',
    example: '30',
    fallback: '15',
    usedBy: ['notifier'],
    read: seconds(0.1, 120),
  }),
};

const identityVariable = (what: string, example: string, more: { readonly secret?: true } = {}) =>
  optionalVariable({ field: '', what, example, usedBy: everyService, read: text, ...more });

/** Read by Azure's identity library and by Node themselves; here so that they are documented. */
const IDENTITY_VARIABLES = {
  AZURE_TENANT_ID: identityVariable(
    'The Entra tenant of the identity. In Kubernetes workload identity sets it.',
    '00000000-0000-0000-0000-000000000000',
  ),
  AZURE_CLIENT_ID: identityVariable(
    'The application or managed identity as which the service acts.',
    '00000000-0000-0000-0000-000000000000',
  ),
  AZURE_CLIENT_SECRET: identityVariable(
    'The secret of the application. Leave it out with workload or managed identity.',
    'a secret of the application',
    { secret: true },
  ),
  AZURE_FEDERATED_TOKEN_FILE: identityVariable(
    'The file with the token of workload identity. In Kubernetes it is set by itself.',
    '/var/run/secrets/azure/tokens/azure-identity-token',
  ),
  AZURE_AUTHORITY_HOST: identityVariable(
    'Where Entra is reached, if not at the public authority.',
    'https://login.microsoftonline.us',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: identityVariable(
    'The collector of OpenTelemetry to which traces are sent, as OTLP over HTTP. Not set, none are made.',
    'http://otel-collector:4318',
  ),
  OTEL_EXPORTER_OTLP_HEADERS: identityVariable(
    'Headers for the collector, as name=value with commas in between.',
    'api-key=the key that the collector wants',
    { secret: true },
  ),
  NODE_EXTRA_CA_CERTS: identityVariable(
    'A file with more certificate authorities to trust. Node reads it when the process starts.',
    '/etc/ssl/private-ca.pem',
  ),
};

/** Read by programs that are no services; here so that they are documented and not taken for typing errors. */
const CLIENT_VARIABLES = {
  TWINKEY_URL: variable({
    field: 'url',
    what: 'Where the CLI finds the console.',
    example: 'https://twinkey.contoso.com',
    fallback: 'http://127.0.0.1:4700',
    usedBy: ['cli'],
    read: httpUrl,
  }),
  TWINKEY_NOTIFIER_URL: variable({
    field: 'notifierUrl',
    what: 'Where instances of consumers, and the commands of the CLI about webhooks, find the notifier.',
    example: 'https://twinkey-notifier.contoso.com',
    fallback: 'http://127.0.0.1:4703',
    usedBy: ['consumer', 'cli'],
    read: httpUrl,
  }),
};

/** Every variable of the installation. */
export const CATALOGUE: Readonly<Record<string, Variable>> = {
  ...BASE_VARIABLES,
  ...PORT_VARIABLES,
  ...VARIABLES,
  ...CLIENT_VARIABLES,
  ...IDENTITY_VARIABLES,
};

/** Any variable that a service can ask for. */
export type VariableName = keyof typeof VARIABLES;

/** What a service asks for by name. */
export function variablesOf(service: ServiceName): readonly VariableName[] {
  return (Object.keys(VARIABLES) as VariableName[]).filter((name) =>
    VARIABLES[name].usedBy.includes(service),
  );
}

/** The names of all variables of the installation. */
export const KNOWN_NAMES: readonly string[] = Object.keys(CATALOGUE);

export interface VariableDescription {
  readonly name: string;
  readonly what: string;
  readonly example: string;
  readonly fallback?: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly usedBy: readonly UsedBy[];
}

/** The whole catalogue for documentation, in reading order. */
export function describeVariables(): readonly VariableDescription[] {
  return Object.entries(CATALOGUE).map(([name, { what, example, fallback, optional, secret, usedBy }]) => ({
    name,
    what,
    example,
    ...(fallback === undefined ? {} : { fallback }),
    required: fallback === undefined && optional === undefined,
    secret: secret ?? false,
    usedBy,
  }));
}
