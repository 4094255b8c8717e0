import { RestError } from '@azure/core-rest-pipeline';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { armFault, describeError, neverConnected, retryAfterOf, vaultFault } from './faults.js';

const KEY = 'k9'.repeat(42);

function refusal(
  statusCode: number,
  code = 'Code',
  message = 'said so',
  innerError?: { code: string },
): Error {
  const error = new RestError(message, { statusCode, code });
  error.details = { error: { code, message, innerError } };
  return error;
}

describe('what Resource Manager refuses', () => {
  it.each([
    [
      400,
      'BadRequest',
      'Failed to list key. disableLocalAuth is set to be true',
      'local-auth-disabled',
      'PermanentFault',
    ],
    [400, 'BadRequest', 'what is this?', 'unexpected-answer', 'PermanentFault'],
    [401, 'ExpiredAuthenticationToken', 'too old', 'token-refused', 'TransientFault'],
    [403, 'AuthorizationFailed', 'no role', 'access-refused', 'PermanentFault'],
    [404, 'ResourceNotFound', 'gone', 'account-not-found', 'PermanentFault'],
    [409, 'RequestConflict', 'not terminal', 'account-busy', 'TransientFault'],
    [429, 'SubscriptionRequestsThrottled', 'slower', 'throttled', 'TransientFault'],
    [503, 'ServerBusy', 'later', 'service-unavailable', 'TransientFault'],
  ])('%i %s "%s" is %s', (status, code, message, expected, kind) => {
    expect(armFault(refusal(status, code, message))).toMatchObject({ name: kind, code: expected });
  });
});

describe('what Key Vault refuses', () => {
  it.each([
    [401, 'Unauthorized', undefined, 'token-refused', 'TransientFault'],
    [403, 'Forbidden', undefined, 'access-refused', 'PermanentFault'],
    [409, 'Conflict', { code: 'ObjectIsDeletedButRecoverable' }, 'secret-unusable', 'PermanentFault'],
    [409, 'Conflict', undefined, 'vault-conflict', 'TransientFault'],
    [404, 'VaultNotFound', undefined, 'secret-unusable', 'PermanentFault'],
  ])('%i %s with %j inside is %s', (status, code, inner, expected, kind) => {
    expect(vaultFault(refusal(status, code, 'said so', inner))).toMatchObject({ name: kind, code: expected });
  });
});

describe('a throttled call', () => {
  const now = () => Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['retry-after', '17', 17_000],
    ['retry-after-ms', '250', 250],
    ['x-ms-retry-after-ms', '900', 900],
    ['retry-after', 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['retry-after', 'soon', undefined],
  ])('reads %s: %s', (name, value, expected) => {
    const headers = new Headers({ [name]: value });
    expect(
      retryAfterOf({ response: { headers: { get: (each: string) => headers.get(each) ?? undefined } } }, now),
    ).toBe(expected);
  });
});

describe('a service that asks for patience', () => {
  const answered = (statusCode: number, headers: Record<string, string> = {}) => {
    const sent = new Headers(headers);
    const response = { headers: { get: (name: string) => sent.get(name) ?? undefined } };
    return Object.assign(refusal(statusCode), { response });
  };

  it('gets the time that it names', () => {
    for (const status of [429, 503])
      expect(armFault(answered(status, { 'retry-after': '17' }))).toMatchObject({ retryAfterMs: 17_000 });
  });

  it('gets ten seconds when it throttles and names none', () => {
    expect(armFault(answered(429))).toMatchObject({ code: 'throttled', retryAfterMs: 10_000 });
  });

  it.each([408, 500, 502])('is tried again after %i, when whoever asks chooses', (status) => {
    expect(armFault(answered(status))).toMatchObject({
      name: 'TransientFault',
      code: 'service-unavailable',
      retryAfterMs: undefined,
    });
  });
});

describe('a refusal', () => {
  it('keeps what the service said as its cause', () => {
    for (const status of [401, 403, 418, 429, 503])
      expect(armFault(refusal(status))).toMatchObject({ cause: { message: 'said so' } });
  });

  it('that only a person can lift says what to do', () => {
    for (const status of [403, 404]) {
      for (const fault of [armFault(refusal(status)), vaultFault(refusal(status))])
        expect(fault).toMatchObject({ remedy: expect.stringMatching(/^(Grant|Check)/) as unknown });
    }
  });
});

describe('a request that never left', () => {
  it.each(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED'])(
    'is recognised by %s',
    (code) => {
      expect(neverConnected(new RestError('no', { code }))).toBe(true);
    },
  );

  it.each(['ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'REQUEST_SEND_ERROR'])('is not assumed of %s', (code) => {
    expect(neverConnected(new RestError('no', { code }))).toBe(false);
  });
});

describe('an answer that the SDK could not read and quotes', () => {
  const quoting = new RestError(
    `Error "SyntaxError: …" occurred while parsing the response body - {"key1":"${KEY}","key2":"short-secret".`,
    { code: RestError.PARSE_ERROR, statusCode: 200 },
  );

  it('leaves nothing of the body in the fault, its cause or what is said about it', () => {
    const fault = armFault(quoting);
    const everything = inspect(fault, { depth: null, showHidden: true }) + describeError(quoting);
    expect(everything).not.toContain(KEY);
    expect(everything).not.toContain('short-secret');
  });
});
