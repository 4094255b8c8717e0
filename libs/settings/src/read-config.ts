import type { Config } from './config.js';
import { nearestName } from './nearest-name.js';
import type { ServiceName, Variable } from './variable.js';
import {
  BASE_VARIABLES,
  CATALOGUE,
  KNOWN_NAMES,
  PORT_VARIABLE,
  PORT_VARIABLES,
  VARIABLES,
  type VariableName,
} from './variables.js';

export const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigProblem {
  readonly name: string;
  /** Completes the sentence "NAME …". Never holds the value of a secret. */
  readonly problem: string;
  readonly what?: string;
  readonly example?: string;
}

/** Everything that is wrong with the configuration, at once. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  constructor(
    service: ServiceName,
    readonly problems: readonly ConfigProblem[],
  ) {
    super(
      [
        `The ${service} cannot start: ${problems.length === 1 ? 'one setting is' : `${problems.length} settings are`} wrong.`,
      ]
        .concat(problems.map(describe))
        .join('\n\n'),
    );
  }
}

function describe({ name, problem, what, example }: ConfigProblem): string {
  return [
    `  ${name} ${problem}`,
    ...(what === undefined ? [] : [`    ${what}`]),
    ...(example === undefined ? [] : [`    Example: ${name}=${example}`]),
  ].join('\n');
}

/** Reads the variables that every service has and those that this one names. Throws a ConfigurationError. */
export function readConfig<Names extends VariableName>(
  service: ServiceName,
  names: readonly Names[],
  environment: Environment,
): Config<Names> {
  const portName = PORT_VARIABLE[service];
  const asked: [string, Variable][] = [
    ...Object.entries<Variable>(BASE_VARIABLES),
    [portName, PORT_VARIABLES[portName]],
    ...names.map((name): [string, Variable] => [name, VARIABLES[name]]),
  ];
  const problems: ConfigProblem[] = unknownNames(environment);
  const fields: Record<string, unknown> = {};
  for (const [name, variable] of asked) {
    const read = readOne(environment[name], variable);
    if ('problem' in read)
      problems.push({ name, problem: read.problem, what: variable.what, example: variable.example });
    else fields[variable.field] = read.value;
  }
  problems.push(...contradictions(fields, environment));
  if (problems.length > 0) throw new ConfigurationError(service, problems);
  return fields as Config<Names>; // every field was read by the schema that its type comes from
}

function readOne(given: string | undefined, variable: Variable): { value: unknown } | { problem: string } {
  // A variable that is set to nothing is how compose files and manifests say "not set".
  const text = given === undefined || given === '' ? variable.fallback : given;
  if (text === undefined)
    return variable.optional === true ? { value: undefined } : { problem: 'is missing.' };
  const read = variable.read.safeParse(text);
  if (read.success) return { value: read.data };
  const rules = read.error.issues.map(({ message }) => message).join(', ');
  return { problem: variable.secret === true ? `${rules}.` : `${rules}; it is "${text}".` };
}

/** What a program would take for a variable: its text, or the default; undefined where that is nothing, or not allowed. */
export function settingOf(environment: Environment, name: string): string | undefined {
  const variable = CATALOGUE[name];
  const given = environment[name];
  const text = given === undefined || given === '' ? variable?.fallback : given.trim();
  return text === undefined || problemWith(environment, name) !== undefined ? undefined : text;
}

/** What is wrong with a variable by itself; undefined: nothing, or nobody knows it. */
export function problemWith(environment: Environment, name: string): string | undefined {
  const variable = CATALOGUE[name];
  if (variable === undefined) return undefined;
  const read = readOne(environment[name], variable);
  return 'problem' in read ? read.problem : undefined;
}

/** A misspelt variable would silently leave the default in force. */
function unknownNames(environment: Environment): ConfigProblem[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith('TWINKEY_') && !KNOWN_NAMES.includes(name))
    .map((name) => {
      const nearest = nearestName(name, KNOWN_NAMES);
      return {
        name,
        problem: nearest === undefined ? 'is not known.' : `is not known. Did you mean ${nearest}?`,
      };
    });
}

/** What is fine alone and wrong together. Fields that could not be read are not looked at. */
function contradictions(
  fields: Readonly<Record<string, unknown>>,
  environment: Environment,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const busRead = 'serviceBusConnectionString' in fields && 'serviceBusNamespace' in fields;
  if (
    busRead &&
    (fields['serviceBusConnectionString'] === undefined) === (fields['serviceBusNamespace'] === undefined)
  ) {
    problems.push({
      name: 'SERVICEBUS_CONNECTION_STRING',
      problem:
        fields['serviceBusNamespace'] === undefined
          ? 'or TWINKEY_SERVICE_BUS_NAMESPACE must be set.'
          : 'and TWINKEY_SERVICE_BUS_NAMESPACE exclude each other; set one of them.',
      what: BASE_VARIABLES.TWINKEY_SERVICE_BUS_NAMESPACE.what,
    });
  }
  const authority = environment['AZURE_AUTHORITY_HOST'] ?? PUBLIC_AUTHORITY;
  if (fields['disableInstanceDiscovery'] === true && /\bmicrosoftonline\./i.test(authority)) {
    problems.push({
      name: 'TWINKEY_DISABLE_INSTANCE_DISCOVERY',
      problem: 'must be false when AZURE_AUTHORITY_HOST is a public authority of Microsoft.',
      what: BASE_VARIABLES.TWINKEY_DISABLE_INSTANCE_DISCOVERY.what,
    });
  }
  problems.push(...openings(fields, environment), ...signIns(fields));
  for (const [shorter, longer] of [
    ['TWINKEY_CALL_DEADLINE_SECONDS', 'TWINKEY_ACCOUNT_LEASE_SECONDS'],
    ['TWINKEY_HEARTBEAT_SECONDS', 'TWINKEY_LEASE_SECONDS'],
  ] as const) {
    const [less, more] = [fields[VARIABLES[shorter].field], fields[VARIABLES[longer].field]];
    if (typeof less !== 'number' || typeof more !== 'number' || less < more) continue;
    problems.push({
      name: shorter,
      problem: `must be shorter than ${longer}; they are ${less} and ${more} seconds.`,
      what: VARIABLES[shorter].what,
    });
  }
  return problems;
}

/** A token is presented instead of a password, to nobody but the database. */
function signIns({ databaseUrl, databaseEntra }: Readonly<Record<string, unknown>>): ConfigProblem[] {
  if (databaseEntra !== true || typeof databaseUrl !== 'string') return [];
  const { what } = BASE_VARIABLES.TWINKEY_DATABASE_ENTRA;
  const { username, password, hostname, searchParams } = new URL(databaseUrl);
  const rules = [
    ...(password === '' ? [] : ['must hold no password']),
    ...(username === '' ? ['must name the role, as in postgres://rotator@host:5432/twinkey'] : []),
    ...(LOOPBACK.test(hostname) || searchParams.get('sslmode') === 'verify-full'
      ? []
      : ['must end in ?sslmode=verify-full']),
  ];
  if (rules.length === 0) return [];
  return [
    {
      name: 'DATABASE_URL',
      problem: `${rules.join(', ')}: TWINKEY_DATABASE_ENTRA signs in with a token.`,
      what,
    },
  ];
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/i;

/** A service that asks nobody who they are must be out of the reach of others. */
function openings(fields: Readonly<Record<string, unknown>>, environment: Environment): ConfigProblem[] {
  const { httpHost, apiAudience } = fields;
  if (!('apiAudience' in fields)) return [];
  const { what, example } = BASE_VARIABLES.TWINKEY_API_AUDIENCE;
  if (apiAudience === undefined && typeof httpHost === 'string' && !LOOPBACK.test(httpHost)) {
    return [
      {
        name: 'TWINKEY_API_AUDIENCE',
        problem: `must be set when TWINKEY_HTTP_HOST (${httpHost}) lets other machines ask.`,
        what,
        example,
      },
    ];
  }
  if (apiAudience !== undefined && !environment['AZURE_TENANT_ID']) {
    return [
      {
        name: 'AZURE_TENANT_ID',
        problem: 'is missing: with TWINKEY_API_AUDIENCE set, tokens of that tenant are asked for.',
      },
    ];
  }
  return [];
}
