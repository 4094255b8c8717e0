// A call that the service did not answer, and what is kept of foreign errors.
import { RestError } from '@azure/core-rest-pipeline';
import { describe, expect, it } from '@jest/globals';
import { PermanentFault, TransientFault } from '@twinkey/contracts';
import { armFault, codesOf, describeError, isAbort, neverConnected, vaultFault } from './faults.js';

const named = (name: string, message = 'no', more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });
const coded = (code: string) => new RestError('no', { code });

describe('a call whose token the identity service does not give', () => {
  const failures = [
    'AuthenticationError',
    'AggregateAuthenticationError',
    'CredentialUnavailableError',
    'AuthenticationRequiredError',
  ];

  it.each(failures)('is tried again after %s', (name) => {
    expect(armFault(named(name))).toMatchObject({ name: 'TransientFault', code: 'token-unavailable' });
  });

  it.each([400, 401, 403, 404, 500])(
    'is not taken for one that the service itself answered with %i',
    (statusCode) => {
      const refused = named('AuthenticationError', 'invalid_client', { statusCode });
      for (const fault of [armFault(refused), vaultFault(refused)])
        expect(fault).toMatchObject({ name: 'TransientFault', code: 'token-unavailable' });
    },
  );

  it.each(['MyAuthenticationError', 'AuthenticationErrors'])('is not assumed of %s', (name) => {
    expect(armFault(named(name))).toMatchObject({ code: 'unreachable' });
  });
});

describe('a service whose certificate is not trusted', () => {
  const codes = [
    'CERT_HAS_EXPIRED',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ];

  it.each(codes)('never got the call, and a person reads what to set (%s)', (code) => {
    const fault = armFault(coded(code));
    expect(neverConnected(coded(code))).toBe(true);
    expect(fault).toMatchObject({ name: 'TransientFault', code: 'unreachable' });
    expect(fault.message).toContain(`${code}: is NODE_EXTRA_CA_CERTS set`);
  });
});

describe('a service that cannot be reached', () => {
  it('is tried again, and nothing is said of certificates', () => {
    const fault = armFault(coded('ECONNREFUSED'));
    expect(fault).toMatchObject({ name: 'TransientFault', code: 'unreachable', cause: { message: 'no' } });
    expect(fault.message).toBe('Resource Manager: ECONNREFUSED: no');
  });

  it.each(['X_ECONNREFUSED', 'ECONNREFUSED_LATER', 'X_CERT_HAS_EXPIRED'])(
    'is one by whole codes only, not by %s',
    (code) => {
      expect(neverConnected(coded(code))).toBe(false);
    },
  );

  it('was reached after all if it answered', () => {
    expect(neverConnected(new RestError('no', { code: 'ECONNREFUSED', statusCode: 502 }))).toBe(false);
  });

  it.each(['AbortError', 'TimeoutError'])('in time has missed the deadline (%s)', (name) => {
    expect(isAbort(named(name))).toBe(true);
    expect(armFault(named(name))).toMatchObject({ name: 'TransientFault', code: 'deadline-passed' });
  });
});

describe('a vault whose address the SDK does not accept', () => {
  it('is for a person, who reads which variable allows it', () => {
    expect(vaultFault(new Error('The challenge resource "x" does not match'))).toMatchObject({
      name: 'PermanentFault',
      code: 'secret-unusable',
      remedy: expect.stringContaining('TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK=true') as unknown,
    });
  });

  it('is not seen in whatever quotes those words', () => {
    expect(vaultFault(new Error('no: The challenge resource'))).toMatchObject({ code: 'unreachable' });
  });
});

describe('something thrown that is no error of an SDK', () => {
  it.each([
    ['just words', 'Key Vault: just words'],
    [null, 'Key Vault: null'],
    [undefined, 'Key Vault: undefined'],
    [{ code: 5, statusCode: '403' }, 'Key Vault: [object Object]'],
  ])('%j is tried again, and told', (thrown, message) => {
    expect(vaultFault(thrown)).toMatchObject({ name: 'TransientFault', code: 'unreachable', message });
  });

  it('is left as it is when it is a fault already', () => {
    for (const fault of [new TransientFault('a', 'a'), new PermanentFault('b', 'b')])
      expect(armFault(fault)).toBe(fault);
  });
});

describe('what is told of a foreign error', () => {
  it('is its status, its code and its words', () => {
    const error = new RestError('go away', { statusCode: 403, code: 'Forbidden' });
    expect(describeError(error)).toBe('403 Forbidden: go away');
  });

  it('is its words alone when there is nothing else', () => {
    expect(describeError(new Error('go away'))).toBe('go away');
  });

  it('is its code, or its name, when it has no words', () => {
    expect(describeError(Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }))).toBe(
      'ECONNREFUSED: ECONNREFUSED',
    );
    expect(describeError(new TypeError(''))).toBe('TypeError');
  });

  it.each(['could not read the response body', 'responseBody: {}'])(
    'is not what the answer held (%s)',
    (message) => {
      expect(describeError(new RestError(message))).toBe('the answer could not be read');
    },
  );

  it('quotes a refusal, and no success', () => {
    expect(describeError(new RestError('moved', { statusCode: 300 }))).toBe('300: moved');
    expect(describeError(new RestError('{}', { statusCode: 299 }))).toBe('299: the answer could not be read');
  });

  it('names the codes from the outermost to the innermost, as Key Vault and Resource Manager spell them', () => {
    const error = Object.assign(new Error('no'), {
      code: 'Conflict',
      innerError: { code: 'First', innererror: { code: 'Second', innerError: { code: 7 } } },
      details: { error: { code: 'Third' } },
    });
    expect(codesOf(error)).toEqual(['Conflict', 'First', 'Second', 'Third']);
    expect(codesOf(new Error('no'))).toEqual([]);
  });
});

describe('the cause that a fault keeps', () => {
  it('has name, words and frames of the foreign error, and nothing of its traffic', () => {
    const error = Object.assign(new RangeError('too far'), { response: { body: 'secret' } });
    error.stack = 'RangeError: too far\n  {"key1":"secret"}\n    at here (file.ts:1:1)\nsee at home: secret';
    const { cause } = armFault(error);
    expect(cause).toMatchObject({ name: 'RangeError', message: 'too far' });
    expect((cause as Error).stack).toBe('RangeError: too far\n    at here (file.ts:1:1)');
    expect(cause).not.toHaveProperty('response');
  });

  it('does without frames when there are none', () => {
    const error = new Error('no');
    delete error.stack;
    expect((armFault(error).cause as Error).stack).toBe('Error: no');
  });
});
