// What is refused before a route is asked, over real connections: a browser, a slow sender and a flood are no requests of
// Fastify's test helper.
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Module, Param, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeVariables } from '@twinkey/settings';
import { Allow } from '../access/access.guard.js';
import { RequestBudget } from '../access/request-budget.js';
import { createApp, type Access } from '../create-app.js';
import { ServiceHealth } from '../health.js';
import type { Log } from '../log.js';
import { NO_METRICS } from '../metrics/metrics.js';
import { REQUEST_LIMITS } from './limits.js';

@Allow('read')
@Controller('things')
class ThingsController {
  @Get(':name')
  look(@Param('name') name: string): { name: string } {
    return { name };
  }

  @Post()
  add(@Body() body: unknown): { added: unknown } {
    return { added: body };
  }
}

@Module({ controllers: [ThingsController] })
class ThingsModule {}

const silent = () => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };
const limits = REQUEST_LIMITS;
/** Too short for a machine that is busy, so only for requests that never come to their end. */
const hasty = { ...limits, headersWithinMs: 100, requestWithinMs: 200, lookEveryMs: 20 };

let now = 0;
let open: NestFastifyApplication;
let closed: NestFastifyApplication;
let impatient: NestFastifyApplication;

async function serve(access: Access, limits = REQUEST_LIMITS): Promise<NestFastifyApplication> {
  const health = new ServiceHealth();
  health.started();
  const app = await createApp(ThingsModule, { log, health, metrics: NO_METRICS, access, limits });
  await app.listen(0, '127.0.0.1');
  return app;
}

beforeAll(async () => {
  open = await serve({});
  impatient = await serve({}, hasty);
  closed = await serve({
    audience: 'api://twinkey',
    verify: (token) => Promise.resolve({ claims: { oid: token, roles: ['twinkey.read'] } }),
    budget: new RequestBudget(2, () => now),
  });
});

afterAll(async () => {
  await open.close();
  await closed.close();
  await impatient.close();
});

const portOf = (app: NestFastifyApplication) => (app.getHttpServer().address() as AddressInfo).port;

interface Answered {
  readonly status: number;
  readonly type: string | undefined;
  readonly retryAfter: string | undefined;
  readonly code: string | undefined;
  readonly detail: string | undefined;
}

/** Sends these bytes and reads until the connection ends. */
async function say(bytes: string, app = open): Promise<Answered> {
  const socket = connect(portOf(app), '127.0.0.1');
  socket.setEncoding('utf8').write(bytes);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  const header = (name: string) => new RegExp(`^${name}: (.+)$`, 'im').exec(head)?.[1]?.trim();
  const { code, detail } = JSON.parse(body) as { code?: string; detail?: string };
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]);
  return { status, type: header('content-type'), retryAfter: header('retry-after'), code, detail };
}

const request = (line: string, headers: Record<string, string> = {}, body = '') =>
  [
    `${line} HTTP/1.1`,
    ...Object.entries({
      host: '127.0.0.1',
      connection: 'close',
      ...(body === '' ? {} : { 'content-length': String(body.length) }),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');

const json = { 'content-type': 'application/json' };
const problem = (status: number, code: string, detail: RegExp) => ({
  status,
  code,
  type: expect.stringMatching(/^application\/problem\+json/),
  detail: expect.stringMatching(detail),
});

describe('a request that is too large', () => {
  it('is refused for its body before that is read, with what a body may have', async () => {
    const length = { 'content-length': String(limits.bodyBytes + 1) };
    expect(await say(request('POST /things', { ...json, ...length }))).toMatchObject(
      problem(413, 'payload-too-large', /262144 bytes/),
    );
    const full = JSON.stringify('x'.repeat(limits.bodyBytes - 2));
    expect(await say(request('POST /things', json, full))).toMatchObject({ status: 201 });
  });

  it('is refused for its path and query, and for a name in the path', async () => {
    expect(await say(request(`GET /things/a?q=${'x'.repeat(limits.urlCharacters)}`))).toMatchObject(
      problem(414, 'uri-too-long', /8192 characters/),
    );
    expect(await say(request(`GET /things/${'x'.repeat(1_001)}`))).toMatchObject(
      problem(414, 'uri-too-long', /shorter name/),
    );
  });

  it('is refused for its headers', async () => {
    expect(await say(request('GET /things/a', { 'x-much': 'x'.repeat(limits.headerBytes) }))).toMatchObject(
      problem(431, 'request-header-fields-too-large', /16384 bytes/),
    );
  });
});

describe('a request that is no JSON', () => {
  it('is refused with the type that is read: forms and text are what a page may send anywhere', async () => {
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=b',
    ]) {
      expect(await say(request('POST /things', { 'content-type': type }, 'a=b'))).toMatchObject(
        problem(415, 'unsupported-media-type', /application\/json/),
      );
    }
  });

  it('is refused when it only says that it is, or brings a prototype', async () => {
    for (const body of ['{', '{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{}}}']) {
      expect(await say(request('POST /things', json, body))).toMatchObject({ status: 400 });
    }
  });

  it('is refused when it is no HTTP, or its path cannot be decoded', async () => {
    expect(await say('HELLO\r\n\r\n')).toMatchObject(problem(400, 'bad-request', /HTTP\/1\.1/));
    expect(await say(request('GET /things/%zz'))).toMatchObject(problem(400, 'bad-request', /./));
  });
});

describe('a request that does not come to its end', () => {
  it('is cut off when its headers do not', async () => {
    expect(await say('GET /things/a HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ', impatient)).toMatchObject(
      problem(408, 'request-timeout', /without pauses/),
    );
  });

  it('is cut off when its body does not', async () => {
    const half = request('POST /things', { ...json, 'content-length': '10' }, '{"a"');
    expect(await say(half, impatient)).toMatchObject(problem(408, 'request-timeout', /without pauses/));
  });
});

describe('a service that asks for no token', () => {
  it('answers programs of this machine only, and no page that a browser shows', async () => {
    for (const host of ['127.0.0.1:4700', 'localhost', '[::1]:4700', 'twinkey.localhost:4700'])
      expect(await say(request('GET /things/a', { host }))).toMatchObject({ status: 200 });
    const ofPages: Record<string, string>[] = [
      { host: 'rebound.example' },
      { host: '127.0.0.1.rebound.example' },
      { origin: 'https://page.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-origin' },
    ];
    for (const headers of ofPages) {
      expect(await say(request('POST /things', headers))).toMatchObject(
        problem(403, 'not-from-here', /TWINKEY_API_AUDIENCE/),
      );
    }
    expect(await say(request('GET /health/live', { host: 'rebound.example' }))).toMatchObject({
      status: 200,
    });
  });
});

describe('a service that asks for tokens', () => {
  const asked = (oid: string) =>
    say(request('GET /things/a', { host: 'keys.example', authorization: `Bearer ${oid}` }), closed);

  it('refuses an identity that asks too often, says when to come again, and goes on answering others', async () => {
    for (let one = 0; one < 10; one += 1) expect(await asked('busy')).toMatchObject({ status: 200 });
    expect(await asked('busy')).toMatchObject({
      ...problem(429, 'too-many-requests', /TWINKEY_REQUESTS_PER_SECOND/),
      retryAfter: '1',
    });
    expect(await asked('calm')).toMatchObject({ status: 200 });
    now += 1_000;
    expect(await asked('busy')).toMatchObject({ status: 200 });
  });
});

describe('an answer', () => {
  it('is kept by no cache and taken for nothing but what it says it is', async () => {
    const { headers } = await fetch(`http://127.0.0.1:${portOf(open)}/things/a`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('the page about who asks', () => {
  it('says these limits', async () => {
    const page = await readFile(new URL('../../../../docs/how-to/say-who-asks.md', import.meta.url), 'utf8');
    const row = (what: string) => page.split('\n').find((line) => line.startsWith(`| ${what}`)) ?? '';
    expect(row('a body')).toContain(`${limits.bodyBytes / 1_024} KiB`);
    expect(row('path and query')).toContain(`${limits.urlCharacters} characters`);
    expect(row('request line and headers')).toContain(`${limits.headerBytes / 1_024} KiB`);
    expect(row('the time until the headers')).toContain(`${limits.headersWithinMs / 1_000} s`);
    expect(row('the time until the body')).toContain(`${limits.requestWithinMs / 1_000} s`);
    const perSecond = describeVariables().find(({ name }) => name === 'TWINKEY_REQUESTS_PER_SECOND');
    expect(row('requests of an identity')).toContain(`(${perSecond?.fallback ?? ''})`);
  });
});
