import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import type { Answer } from '../host/call.js';
import { start, type AzureLocal } from '../host/start.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

let azure: AzureLocal;
const now = 1_800_000_000_250;

beforeAll(async () => {
  azure = await start({
    dataDir: mkdtempSync(join(tmpdir(), 'entra-wire-')),
    clock: () => now,
    applications: [
      { name: 'caller', federatedCredentials: [{ subject: 'pod' }] },
      { name: 'newer-api', identifierUris: ['api://newer'], accessTokenVersion: 2 },
    ],
  });
});
afterAll(() => azure.close());

type Form = Readonly<Record<string, string | undefined>>;

const caller = () =>
  azure.applications.find(({ name }) => name === 'caller') ?? { clientId: '', clientSecret: '' };
const grant = (): Form => ({
  grant_type: 'client_credentials',
  client_id: caller().clientId,
  client_secret: caller().clientSecret,
  scope: 'https://vault.azure.net/.default',
});

async function ask(
  form: Form,
  path = `/${azure.tenantId}/oauth2/v2.0/token`,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const fields = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return await azure.call(path, { method: 'POST', body: new URLSearchParams(fields).toString(), headers });
}

interface ErrorBody {
  readonly error: string;
  readonly error_description: string;
  readonly error_codes: readonly number[];
}
const errorOf = (answer: Answer) => answer.json() as ErrorBody;
const refusal = (answer: Answer) => {
  const { error, error_description: text } = errorOf(answer);
  return [answer.status, error, text.replace(/ Trace ID: .*$/, '')] as const;
};

describe('the token endpoint of version 1', () => {
  const v1 = () => `/${azure.tenantId}/oauth2/token`;

  it('writes its numbers as texts, and says when and for what', async () => {
    const resource = 'https://management.azure.com/';
    const answer = await ask({ ...grant(), scope: undefined, resource }, v1());
    expect(answer.json()).toEqual({
      token_type: 'Bearer',
      expires_in: '3599',
      ext_expires_in: '3599',
      expires_on: '1800003599',
      not_before: '1800000000',
      resource,
      access_token: expect.any(String),
    });
  });

  it('asks for a resource; that of version 2 refuses one and asks for a scope', async () => {
    const none = { ...grant(), scope: undefined };
    expect(refusal(await ask(none, v1()))[2]).toContain(
      "AADSTS900144: The request body must contain the following parameter: 'resource'.",
    );
    expect(refusal(await ask(none))[2]).toContain("'scope'");
    expect(errorOf(await ask({ ...grant(), resource: 'https://vault.azure.net' })).error_codes).toEqual([
      901002,
    ]);
  });
});

describe('a validator that reads a discovery document', () => {
  const read = async (path: string) =>
    (await azure.call(path)).json() as { issuer: string; jwks_uri: string };
  const tokenFor = async (scope: string) =>
    ((await ask({ ...grant(), scope })).json() as { access_token: string }).access_token;

  it('accepts a token of version 1 by the document of version 1, and not by the other', async () => {
    const { issuer, jwks_uri: keys } = await read(`/${azure.tenantId}/.well-known/openid-configuration`);
    expect(issuer).toBe(`https://sts.windows.net/${azure.tenantId}/`);
    const set = createLocalJWKSet((await azure.call(keys)).json() as JSONWebKeySet);
    const token = await tokenFor('https://vault.azure.net/.default');
    const currentDate = new Date(now);
    const { payload } = await jwtVerify(token, set, { issuer, currentDate });
    expect(payload).toMatchObject({ ver: '1.0', aud: 'https://vault.azure.net', appidacr: '1' });
    const newer = await read(`/${azure.tenantId}/v2.0/.well-known/openid-configuration`);
    await expect(jwtVerify(token, set, { issuer: newer.issuer, currentDate })).rejects.toThrow(/iss/);
  });

  it('accepts a token for an API that chose version 2 by the document of version 2', async () => {
    const { issuer, jwks_uri: keys } = await read(`/${azure.tenantId}/v2.0/.well-known/openid-configuration`);
    const set = createLocalJWKSet((await azure.call(keys)).json() as JSONWebKeySet);
    const api = azure.applications.find(({ name }) => name === 'newer-api')?.clientId ?? '';
    const { payload } = await jwtVerify(await tokenFor('api://newer/.default'), set, {
      issuer,
      audience: api,
      currentDate: new Date(now),
    });
    expect(payload).toMatchObject({ ver: '2.0', azp: caller().clientId });
    expect(payload['appid']).toBeUndefined();
  });

  it('finds documents that stand for every tenant, with a place for its id', async () => {
    const { origin } = azure.endpoints;
    expect((await read('/common/v2.0/.well-known/openid-configuration')).issuer).toBe(
      `${origin}/{tenantid}/v2.0`,
    );
    expect((await read('/organizations/.well-known/openid-configuration')).issuer).toBe(
      'https://sts.windows.net/{tenantid}/',
    );
    expect((await read('/consumers/v2.0/.well-known/openid-configuration')).issuer).toBe(
      `${origin}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0`,
    );
  });
});

describe('a refusal', () => {
  it('ends with the ids and the time that its fields hold, and leads to its explanation', async () => {
    const own = '11111111-2222-3333-4444-555555555555';
    const answer = await ask({ ...grant(), client_secret: 'guess' }, undefined, { 'client-request-id': own });
    const body = answer.json() as Record<string, string>;
    expect(body).toMatchObject({
      error: 'invalid_client',
      error_codes: [7000215],
      timestamp: '2027-01-15 08:00:00Z',
      correlation_id: own,
      error_uri: 'https://login.microsoftonline.com/error?code=7000215',
    });
    expect(body['error_description']).toBe(
      'AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client ' +
        `secret value, not the client secret ID, for a secret added to app '${caller().clientId}'. ` +
        `Trace ID: ${body['trace_id'] ?? ''} Correlation ID: ${own} Timestamp: 2027-01-15 08:00:00Z`,
    );
  });

  it('names what it is about', async () => {
    const stranger = '00000000-0000-4000-8000-000000000000';
    const cases: readonly [Form, string | undefined, number, number, string][] = [
      [{ grant_type: undefined }, undefined, 400, 900144, "'grant_type'"],
      [{ client_id: undefined }, undefined, 400, 900144, "'client_id'"],
      [{ grant_type: 'password' }, undefined, 400, 70003, "'password'"],
      [
        { client_id: stranger },
        undefined,
        400,
        700016,
        `'${stranger}' was not found in the directory '${azure.tenantId}'`,
      ],
      [{}, `/${stranger}/oauth2/v2.0/token`, 400, 90002, `Tenant '${stranger}' not found`],
      [
        { scope: 'https://vault.azure.net/read' },
        undefined,
        400,
        1002012,
        'scope https://vault.azure.net/read is',
      ],
      [{ scope: 'a://b/.default c://d/.default' }, undefined, 400, 28000, 'more than one resource'],
      [
        { client_secret: undefined },
        undefined,
        401,
        7000216,
        "'client_assertion', 'client_secret' or 'request'",
      ],
      [{}, '/common/oauth2/v2.0/token', 400, 50194, caller().clientId],
      [{}, '/consumers/oauth2/v2.0/token', 400, 90130, '/consumers'],
    ];
    for (const [change, path, status, code, names] of cases) {
      const answer = await ask({ ...grant(), ...change }, path);
      expect([code, answer.status]).toEqual([code, status]);
      expect(errorOf(answer).error_codes).toEqual([code]);
      expect(errorOf(answer).error_description).toContain(names);
    }
  });

  it('comes for another method than POST, and for a document that is not read', async () => {
    const got = await azure.call(`/${azure.tenantId}/oauth2/v2.0/token`);
    expect(errorOf(got).error_codes).toEqual([900561]);
    const url = `/${azure.tenantId}/v2.0/.well-known/openid-configuration`;
    expect((await azure.call(url, { method: 'POST', body: '' })).status).toBe(405);
  });
});

describe('an assertion', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'entra-assertion-')), 'token');
  const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
  const present = async (assertion: string, client_assertion_type?: string) =>
    await ask({ ...grant(), client_secret: undefined, client_assertion: assertion, client_assertion_type });
  const projected = async (subject: string) => {
    await azure.control.writeFederatedToken(file, { subject });
    return readFileSync(file, 'utf8');
  };

  it('has to be of the type that Entra reads', async () => {
    const assertion = await projected('pod');
    expect((await present(assertion, type)).status).toBe(200);
    expect(
      refusal(await present(assertion, 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'))[2],
    ).toMatch(/^AADSTS90011: .*saml2-bearer/);
    expect(refusal(await present(assertion))[2]).toContain("'client_assertion_type'");
  });

  it('of another subject is refused with that subject', async () => {
    const [status, error, text] = refusal(await present(await projected('other-pod'), type));
    expect([status, error]).toEqual([401, 'invalid_client']);
    expect(text).toMatch(/^AADSTS700213: No matching federated identity record .* subject 'other-pod'/);
  });
});

describe('a client', () => {
  it('may name itself in the header, and hand on the claims that a resource asked for', async () => {
    const { clientId, clientSecret } = caller();
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    const claims = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}';
    const answer = await ask(
      { ...grant(), client_id: undefined, client_secret: undefined, claims },
      undefined,
      {
        authorization: `Basic ${basic}`,
      },
    );
    expect(answer.status).toBe(200);
  });
});
