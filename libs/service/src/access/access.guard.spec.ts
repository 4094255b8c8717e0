import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import type { Log } from '../log.js';
import { ProblemFilter } from '../problem.filter.js';
import { AccessGuard, Allow, Asking } from './access.guard.js';
import type { Caller } from './caller.js';
import { tokenVerifier } from './token-verifier.js';

const tenantId = '11111111-2222-3333-4444-555555555555';

@Allow('read')
@Controller('things')
class ThingsController {
  @Get()
  look(@Asking() caller: Caller): { caller: string } {
    return { caller: caller.name };
  }

  @Allow('operate')
  @Get('act')
  act(): { acted: true } {
    return { acted: true };
  }
}

@Controller('unmarked')
class UnmarkedController {
  @Get()
  look(): { seen: true } {
    return { seen: true };
  }
}

const silent = () => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };

let authority: string;
let entra: Server;
let isEntraUp = true;
let signing: CryptoKey;
let stranger: CryptoKey;
let closed: { url: string; app: NestFastifyApplication };
let open: { url: string; app: NestFastifyApplication };

async function serve(verify: ReturnType<typeof tokenVerifier> | undefined) {
  @Module({
    controllers: [ThingsController, UnmarkedController],
    providers: [
      {
        provide: APP_GUARD,
        useValue: new AccessGuard(verify, 'api://twinkey'),
      },
    ],
  })
  class App {}
  const app = await NestFactory.create<NestFastifyApplication>(App, new FastifyAdapter(), { logger: false });
  app.useGlobalFilters(new ProblemFilter(log));
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, url: `http://127.0.0.1:${port}` };
}

beforeAll(async () => {
  const pair = await generateKeyPair('RS256');
  signing = pair.privateKey;
  stranger = (await generateKeyPair('RS256')).privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  entra = createServer((request, reply) => {
    if (!isEntraUp) return void reply.writeHead(503).end();
    const isDiscovery = request.url?.endsWith('openid-configuration') === true;
    const document = isDiscovery
      ? { issuer: `${authority}/${tenantId}/v2.0`, jwks_uri: `${authority}/keys` }
      : { keys: [jwk] };
    reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  });
  await new Promise<void>((resolve) => entra.listen(0, '127.0.0.1', resolve));
  authority = `http://127.0.0.1:${(entra.address() as AddressInfo).port}`;
  closed = await serve(tokenVerifier({ authority, tenantId, audiences: ['api://twinkey'] }));
  open = await serve(undefined);
});

afterAll(async () => {
  await closed.app.close();
  await open.app.close();
  await new Promise((resolve) => entra.close(resolve));
});

interface Asked {
  readonly roles?: readonly string[];
  readonly audience?: string;
  readonly issuer?: string;
  readonly expires?: string;
  readonly key?: CryptoKey;
}

function token({
  roles = [],
  audience = 'api://twinkey',
  issuer,
  expires = '5m',
  key = signing,
}: Asked = {}) {
  return new SignJWT({ oid: 'o-1', appid: 'app-1', roles })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuedAt()
    .setIssuer(issuer ?? `https://sts.windows.net/${tenantId}/`)
    .setAudience(audience)
    .setExpirationTime(expires)
    .sign(key);
}

async function ask(path: string, bearer?: string, { url } = closed) {
  const answer = await fetch(url + path, {
    headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
  });
  const body = (await answer.json()) as { code?: string; detail?: string; caller?: string };
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), ...body };
}

describe('a service that asks who they are', () => {
  it('says that it cannot judge a token while Entra does not answer, and judges it afterwards', async () => {
    isEntraUp = false;
    const bearer = await token({ roles: ['twinkey.read'] });
    expect(await ask('/things', bearer)).toMatchObject({ status: 503, code: 'entra-unreachable' });
    isEntraUp = true;
    expect(await ask('/things', bearer)).toMatchObject({ status: 200, caller: 'app-1' });
  });

  it('lets in whoever has the role of the route, in tokens of either version', async () => {
    const operator = await token({ roles: ['twinkey.operate'], issuer: `${authority}/${tenantId}/v2.0` });
    expect(await ask('/things', operator)).toMatchObject({ status: 200 });
    expect(await ask('/things/act', operator)).toMatchObject({ status: 200 });
  });

  it('tells the others which role to ask for', async () => {
    const reader = await token({ roles: ['twinkey.read'] });
    const refusal = await ask('/things/act', reader);
    expect(refusal).toMatchObject({ status: 403, code: 'role-missing' });
    expect(refusal.detail).toContain('twinkey.operate or twinkey.admin');
    expect(await ask('/things', await token())).toMatchObject({ status: 403 });
    expect(await ask('/things', await token({ roles: ['twinkey.consumer'] }))).toMatchObject({ status: 403 });
  });

  it('refuses who brings no token, or none of this tenant for this API', async () => {
    expect(await ask('/things')).toMatchObject({ status: 401, code: 'token-missing', challenge: 'Bearer' });
    const admin = { roles: ['twinkey.admin'] };
    const refused: readonly [string, string][] = [
      [await token({ ...admin, audience: 'https://vault.azure.net' }), 'another audience'],
      [await token({ ...admin, issuer: 'https://sts.windows.net/somebody-else/' }), 'another tenant'],
      [await token({ ...admin, expires: '-5m' }), 'is over'],
      [await token({ ...admin, key: stranger }), 'not signed by the tenant'],
      ['nonsense', 'no JSON Web Token'],
    ];
    for (const [bearer, why] of refused) {
      const refusal = await ask('/things', bearer);
      expect(refusal).toMatchObject({ status: 401, code: 'token-not-accepted', challenge: 'Bearer' });
      expect(refusal.detail).toContain(why);
      expect(JSON.stringify(refusal)).not.toContain(bearer);
    }
  });

  it('refuses a token that nobody signed', async () => {
    const [, payload] = (await token({ roles: ['twinkey.admin'] })).split('.');
    const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    expect(await ask('/things', `${header}.${payload ?? ''}.`)).toMatchObject({ status: 401 });
  });

  it('keeps a route closed that names no role', async () => {
    const refusal = await ask('/unmarked', await token({ roles: ['twinkey.admin'] }));
    expect(refusal).toMatchObject({ status: 403, code: 'route-closed' });
  });
});

describe('a service that asks for no token', () => {
  it('takes everybody for anyone, and still opens no unmarked route', async () => {
    expect(await ask('/things', undefined, open)).toMatchObject({ status: 200, caller: 'anyone' });
    expect(await ask('/unmarked', undefined, open)).toMatchObject({ status: 403 });
  });
});
