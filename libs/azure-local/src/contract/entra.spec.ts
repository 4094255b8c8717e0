import { describe, expect, it } from '@jest/globals';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from 'jose';
import { contract, failureOf } from './contract.js';
import { secretGrant, type Target } from './target.js';

const needs = ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET'] as const;
const scope = 'https://management.azure.com/.default';

contract('Entra', needs, (target) => {
  const tokenEndpoint = (tenant = target().owner.tenantId) =>
    `${target().authority}/${tenant}/oauth2/v2.0/token`;
  const ask = async (form: string, tenant?: string) =>
    await target().call(tokenEndpoint(tenant), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });

  describe('the discovery document', () => {
    it('leads to the endpoints of the tenant', async () => {
      const { tenantId } = target().owner;
      const url = `${target().authority}/${tenantId}/v2.0/.well-known/openid-configuration`;
      expect((await target().call(url)).json()).toMatchObject({
        token_endpoint: tokenEndpoint(),
        jwks_uri: `${target().authority}/${tenantId}/discovery/v2.0/keys`,
        issuer: expect.stringContaining(tenantId),
        id_token_signing_alg_values_supported: ['RS256'],
      });
    });
  });

  describe('an application with its secret', () => {
    it('gets a token that says who it is, for what and how long, signed by a published key', async () => {
      const { clientId, tenantId } = target().owner;
      const got = await target().credential(target().owner).getToken(scope);
      const token = got?.token ?? '';
      const keys = (
        await target().call(`${target().authority}/${tenantId}/discovery/v2.0/keys`)
      ).json() as JSONWebKeySet;
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'RS256', typ: 'JWT' });
      const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
        currentDate: new Date(target().now()),
      });
      expect(payload).toMatchObject({
        aud: 'https://management.azure.com',
        iss: `https://sts.windows.net/${tenantId}/`,
        tid: tenantId,
        appid: clientId,
        idtyp: 'app',
        ver: '1.0',
        oid: payload.sub,
      });
      const lifetime = (payload.exp ?? 0) * 1000 - target().now();
      expect(lifetime).toBeGreaterThan(55 * 60_000);
      expect(Math.abs((got?.expiresOnTimestamp ?? 0) - (payload.exp ?? 0) * 1000)).toBeLessThan(10_000);
    });

    it('gets no two tokens with one id', async () => {
      const ids = new Set<string>();
      for (let n = 0; n < 3; n += 1) {
        const { access_token } = (await ask(secretGrant(target().owner, scope))).json() as {
          access_token: string;
        };
        ids.add(access_token);
      }
      expect(ids.size).toBe(3);
    });

    it('is answered as OAuth has it', async () => {
      const answer = await ask(secretGrant(target().owner, scope));
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toMatch(/no-store/);
      expect(answer.json()).toMatchObject({
        token_type: 'Bearer',
        expires_in: expect.any(Number),
        ext_expires_in: expect.any(Number),
        access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      });
    });
  });

  describe('a refusal', () => {
    const refusals: readonly [string, number, string, number, (target: Target) => [string, string?]][] = [
      [
        'of a wrong secret',
        401,
        'invalid_client',
        7000215,
        ({ owner }) => [secretGrant({ ...owner, clientSecret: 'a-guess' }, scope)],
      ],
      [
        'of an unknown application',
        400,
        'unauthorized_client',
        700016,
        ({ owner }) => [secretGrant({ ...owner, clientId: '00000000-0000-4000-8000-000000000000' }, scope)],
      ],
      [
        'of a scope that is not a whole resource',
        400,
        'invalid_scope',
        1002012,
        ({ owner }) => [secretGrant(owner, 'https://management.azure.com/read')],
      ],
      [
        'of an unknown tenant',
        400,
        'invalid_request',
        90002,
        ({ owner }) => [secretGrant(owner, scope), '00000000-0000-4000-8000-000000000000'],
      ],
      [
        'of another grant',
        400,
        'unsupported_grant_type',
        70003,
        ({ owner }) => [secretGrant(owner, scope).replace('client_credentials', 'invented')],
      ],
    ];

    it.each(refusals)(
      '%s has status %i, its OAuth code and its number',
      async (_of, status, error, code, asked) => {
        const answer = await ask(...asked(target()));
        expect(answer.status).toBe(status);
        expect(answer.json()).toMatchObject({
          error,
          error_description: expect.stringMatching(new RegExp(`^AADSTS${code}: `)),
          error_codes: [code],
          trace_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/),
        });
      },
    );

    it('reaches the program with its number, and without the secret that was tried', async () => {
      const guess = { ...target().owner, clientSecret: 'a-secret-guess' };
      const failure = await failureOf(target().credential(guess).getToken(scope));
      expect(String(failure)).toContain('AADSTS7000215');
      expect(String(failure)).not.toContain('a-secret-guess');
    });
  });
});
