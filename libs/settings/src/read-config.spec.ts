import { describe, expect, it } from '@jest/globals';
import { ConfigurationError, readConfig, type Environment } from './read-config.js';
import type { VariableName } from './variables.js';

const complete: Environment = {
  DATABASE_URL: 'postgres://twinkey:hush@localhost:5432/twinkey',
  TWINKEY_SERVICE_BUS_NAMESPACE: 'contoso.servicebus.windows.net',
  TWINKEY_FINGERPRINT_SALT: '0123456789abcdef',
};

const read = (environment: Environment, ...names: VariableName[]) =>
  readConfig('rotator', names, environment);

function problemsOf(environment: Environment, ...names: VariableName[]): Record<string, string> {
  try {
    read(environment, ...names);
  } catch (error) {
    if (error instanceof ConfigurationError) {
      return Object.fromEntries(error.problems.map(({ name, problem }) => [name, problem]));
    }
    throw error;
  }
  return {};
}

describe('a complete environment', () => {
  it('gives what was asked for, with defaults for the rest', () => {
    const config = readConfig('scheduler', ['TWINKEY_FILE', 'AZURE_SUBSCRIPTION_ID'], {
      ...complete,
      TWINKEY_SCHEDULER_PORT: '0',
      TWINKEY_SHUTDOWN_SECONDS: '2.5',
    });
    expect(config).toMatchObject({
      file: './twinkey.yaml',
      subscriptionId: undefined,
      port: 0,
      httpHost: '127.0.0.1',
      shutdownSeconds: 2.5,
      keyChangedShards: 1,
      disableInstanceDiscovery: false,
      serviceBusNamespace: 'contoso.servicebus.windows.net',
    });
    expect(config).not.toHaveProperty('tickSeconds');
  });

  it('gives every service a port of its own', () => {
    const ports = (['console', 'scheduler', 'rotator', 'notifier'] as const).map(
      (service) => readConfig(service, [], complete).port,
    );
    expect(ports).toEqual([4700, 4701, 4702, 4703]);
  });

  it('may hold what only others read, and variables set to nothing', () => {
    expect(
      problemsOf({ ...complete, TWINKEY_URL: 'x', TWINKEY_TICK_SECONDS: 'x', TWINKEY_LOG_LEVEL: '' }),
    ).toEqual({});
  });
});

describe('an environment with faults', () => {
  it('is told all of them at once', () => {
    expect(
      problemsOf(
        { TWINKEY_ROTATOR_PORT: '99999', TWINKEY_LOG_FORMAT: 'xml', TWINKEY_SWEEP_SECONDS: 'often' },
        'TWINKEY_FINGERPRINT_SALT',
        'TWINKEY_SWEEP_SECONDS',
      ),
    ).toEqual({
      DATABASE_URL: 'is missing.',
      SERVICEBUS_CONNECTION_STRING: 'or TWINKEY_SERVICE_BUS_NAMESPACE must be set.',
      TWINKEY_ROTATOR_PORT: 'must be a whole number from 0 to 65535; it is "99999".',
      TWINKEY_LOG_FORMAT: 'must be json or pretty; it is "xml".',
      TWINKEY_FINGERPRINT_SALT: 'is missing.',
      TWINKEY_SWEEP_SECONDS: expect.stringContaining('must be a number of seconds'),
    });
  });

  it('is told in words that name purpose and example', () => {
    expect(() => read({ ...complete, DATABASE_URL: '' })).toThrow(
      [
        'The rotator cannot start: one setting is wrong.',
        '',
        '  DATABASE_URL is missing.',
        '    The PostgreSQL database. Every service keeps to its own schema in it.',
        '    Example: DATABASE_URL=postgres://twinkey:password@localhost:5432/twinkey',
      ].join('\n'),
    );
  });

  it('is never shown its secrets', () => {
    const wrong = { ...complete, DATABASE_URL: 'mysql://root:hush@db', TWINKEY_FINGERPRINT_SALT: 'hush' };
    expect(() => read(wrong, 'TWINKEY_FINGERPRINT_SALT')).toThrow(/2 settings/);
    expect(() => read(wrong, 'TWINKEY_FINGERPRINT_SALT')).not.toThrow(/hush/);
  });

  it('is asked whether a misspelt name was meant', () => {
    expect(problemsOf({ ...complete, TWINKEY_TIK_SECONDS: '5', TWINKEY_COFFEE: 'yes' })).toEqual({
      TWINKEY_TIK_SECONDS: 'is not known. Did you mean TWINKEY_TICK_SECONDS?',
      TWINKEY_COFFEE: 'is not known.',
    });
  });
});

describe('settings that exclude each other', () => {
  it('are refused: two ways to the bus', () => {
    const both = { ...complete, SERVICEBUS_CONNECTION_STRING: 'Endpoint=sb://x;SharedAccessKey=y' };
    expect(problemsOf(both)['SERVICEBUS_CONNECTION_STRING']).toContain('exclude each other');
  });

  it('are refused: no instance discovery at a public authority', () => {
    const name = 'TWINKEY_DISABLE_INSTANCE_DISCOVERY';
    expect(problemsOf({ ...complete, [name]: 'true' })).toHaveProperty(name);
    const publicOne = 'https://login.microsoftonline.us';
    expect(problemsOf({ ...complete, [name]: 'true', AZURE_AUTHORITY_HOST: publicOne })).toHaveProperty(name);
    const own = 'https://localhost:8443';
    expect(problemsOf({ ...complete, [name]: 'true', AZURE_AUTHORITY_HOST: own })).toEqual({});
  });

  it('are refused: a call that may outlive its lease', () => {
    const names = ['TWINKEY_CALL_DEADLINE_SECONDS', 'TWINKEY_ACCOUNT_LEASE_SECONDS'] as const;
    expect(problemsOf({ ...complete, TWINKEY_CALL_DEADLINE_SECONDS: '30' }, ...names)).toEqual({
      TWINKEY_CALL_DEADLINE_SECONDS:
        'must be shorter than TWINKEY_ACCOUNT_LEASE_SECONDS; they are 30 and 30 seconds.',
    });
  });
});

describe('who may ask', () => {
  it('is anybody on this machine as long as no audience is set', () => {
    for (const host of ['127.0.0.1', '::1', 'localhost']) {
      expect(problemsOf({ ...complete, TWINKEY_HTTP_HOST: host })).toEqual({});
    }
  });

  it('is nobody without a token once other machines can ask', () => {
    const reachable = { ...complete, TWINKEY_HTTP_HOST: '0.0.0.0' };
    expect(problemsOf(reachable)).toEqual({
      TWINKEY_API_AUDIENCE: 'must be set when TWINKEY_HTTP_HOST (0.0.0.0) lets other machines ask.',
    });
    expect(problemsOf({ ...reachable, TWINKEY_API_AUDIENCE: 'api://twinkey', AZURE_TENANT_ID: 't' })).toEqual(
      {},
    );
  });

  it('is told by tokens of a tenant that has to be named', () => {
    expect(problemsOf({ ...complete, TWINKEY_API_AUDIENCE: 'api://twinkey' })).toHaveProperty(
      'AZURE_TENANT_ID',
    );
  });

  it('may be said in several spellings', () => {
    const named = { ...complete, AZURE_TENANT_ID: 't', TWINKEY_API_AUDIENCE: 'api://twinkey/, 11-22' };
    expect(read(named).apiAudience).toEqual(['api://twinkey', '11-22']);
  });
});

describe('a database that is shown tokens', () => {
  const judged = (url: string) =>
    problemsOf({ ...complete, DATABASE_URL: url, TWINKEY_DATABASE_ENTRA: 'true' })['DATABASE_URL'];

  it('is named by its role, without a password, and reached by TLS or on this machine', () => {
    expect(judged('postgres://rotator@db.example:5432/twinkey?sslmode=verify-full')).toBeUndefined();
    expect(judged('postgres://rotator@127.0.0.1:5432/twinkey')).toBeUndefined();
  });

  it('is told of what contradicts that, all at once, and no password is repeated', () => {
    const problem = judged('postgres://:hush@db.example:5432/twinkey?sslmode=no-verify');
    expect(problem).toMatch(/no password, must name the role, .*, must end in \?sslmode=verify-full/);
    expect(problem).not.toContain('hush');
  });
});
