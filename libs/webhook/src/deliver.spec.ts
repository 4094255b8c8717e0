import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as x509 from '@peculiar/x509';
import { readAllowList } from './allow-list.js';
import { deliver, type Surroundings } from './deliver.js';
import { generateSharedSecret } from './generate.js';
import { readSigningSecret, readVerifier } from './secret.js';
import { verify } from './verify.js';

const secret = generateSharedSecret();
const now = new Date('2026-03-02T08:30:00Z');
const delivery = {
  id: 'kc-1',
  body: '{"generation":7}',
  contentType: 'application/cloudevents+json',
  secrets: [readSigningSecret(secret)],
};

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(
    open.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(closed));
    }),
  );
});

async function listening(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return (server.address() as AddressInfo).port;
}

const receiver = async (handler: RequestListener) =>
  `http://127.0.0.1:${await listening(createServer(handler))}/hook?of=support-desk`;

const loopback: Surroundings = { allow: readAllowList('http://127.0.0.1:* 127.0.0.1:*'), now: () => now };
const send = (url: string, changes: Partial<Surroundings> = {}) =>
  deliver({ ...delivery, url }, { ...loopback, ...changes });

describe('A receiver that takes a webhook', () => {
  it('gets a signed request and is heard', async () => {
    const seen: unknown[] = [];
    const url = await receiver((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { headers } = request;
        seen.push(request.method, request.url, headers['content-type'], body);
        seen.push(verify({ headers, body }, [readVerifier(secret)], now));
        response.end('{"acknowledged":7}');
      });
    });
    const outcome = await send(url);
    expect(seen).toEqual([
      'POST',
      '/hook?of=support-desk',
      delivery.contentType,
      delivery.body,
      { verified: true, id: 'kc-1', at: now },
    ]);
    expect(outcome).toMatchObject({ outcome: 'delivered', status: 200 });
    expect(outcome.outcome === 'delivered' && outcome.answer()).toEqual({ acknowledged: 7 });
    expect(JSON.stringify(outcome)).not.toContain('acknowledged');
  });

  it.each([
    ['no JSON', 'thanks'],
    ['nothing', ''],
    ['more than is read of an answer', JSON.stringify('x'.repeat(64 * 1024))],
  ])('and answers %s has it all the same', async (_, answer) => {
    const outcome = await send(await receiver((_request, response) => response.writeHead(202).end(answer)));
    expect(outcome).toMatchObject({ outcome: 'delivered', status: 202 });
    expect(outcome.outcome === 'delivered' && outcome.answer()).toBeUndefined();
  });

  it('and never stops answering is heard to the limit and left', async () => {
    let left: (value?: unknown) => void = () => undefined;
    const gone = new Promise((resolve) => (left = resolve));
    const url = await receiver((_request, response) => {
      response.on('close', left);
      const more = () => {
        while (response.write('x'.repeat(8192)));
        response.once('drain', more);
      };
      more();
    });
    expect(await send(url)).toMatchObject({ outcome: 'delivered' });
    await gone;
  });
});

describe('A receiver that does not take it', () => {
  it.each<[number, Record<string, string>, object]>([
    [500, {}, { outcome: 'retry', why: 'status', status: 500 }],
    [404, {}, { outcome: 'retry', why: 'status', status: 404 }],
    [429, { 'retry-after': '7' }, { outcome: 'retry', why: 'status', retryAfterMs: 7000 }],
    [503, { 'retry-after': 'Mon, 02 Mar 2026 08:31:00 GMT' }, { outcome: 'retry', retryAfterMs: 60_000 }],
    [503, { 'retry-after': 'Mon, 02 Mar 2026 08:29:00 GMT' }, { outcome: 'retry', retryAfterMs: 0 }],
    [503, { 'retry-after': 'soon' }, { outcome: 'retry', status: 503 }],
    [410, {}, { outcome: 'stop', why: 'gone' }],
  ])('with %d %j: %j', async (status, headers, expected) => {
    const outcome = await send(
      await receiver((_, response) => response.writeHead(status, headers).end('why not')),
    );
    expect(outcome).toMatchObject(expected);
    expect(JSON.stringify(outcome)).not.toContain('why not');
    if (headers['retry-after'] === 'soon') expect(outcome).not.toHaveProperty('retryAfterMs');
  });

  it('but redirects is not followed', async () => {
    let asked = 0;
    const elsewhere = await receiver((_, response) => {
      asked += 1;
      response.end('{}');
    });
    const url = await receiver((_, response) => response.writeHead(307, { location: elsewhere }).end());
    expect(await send(url)).toMatchObject({ outcome: 'retry', why: 'redirected', status: 307 });
    expect(asked).toBe(0);
  });

  it('because nobody listens is tried again', async () => {
    const url = await receiver(() => undefined);
    await new Promise((closed) => open.splice(0)[0]?.close(closed));
    expect(await send(url)).toMatchObject({ outcome: 'retry', why: 'unreachable' });
  });

  it('in time is tried again', async () => {
    expect(await send(await receiver(() => undefined), { limitMs: 30 })).toMatchObject({ why: 'timed-out' });
  });

  it('to the end is tried again, for its answer may have been an acknowledgement', async () => {
    const url = await receiver((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"acknow', () => response.destroy());
    });
    expect(await send(url)).toMatchObject({ outcome: 'retry', why: 'answer-cut-off' });
  });

  it('before the sender is stopped is tried again', async () => {
    const stop = new AbortController();
    const url = await receiver(() => {
      stop.abort();
    });
    expect(await send(url, { signal: stop.signal })).toMatchObject({ outcome: 'retry', why: 'interrupted' });
  });
});

describe('A name', () => {
  it('is looked up once, and only what was judged is connected to', async () => {
    const port = await listening(
      createServer((request, response) => response.end(JSON.stringify(request.headers.host))),
    );
    const answers = [['127.0.0.1'], ['127.0.0.2']]; // the second is what a rebinding name would say
    let asked = 0;
    const outcome = await send(`http://hooks.contoso.example:${port}/`, {
      lookup: () => Promise.resolve((answers[asked++] ?? []).map((address) => ({ address }))),
    });
    expect(outcome.outcome === 'delivered' && outcome.answer()).toBe(`hooks.contoso.example:${port}`);
    expect(asked).toBe(1);
  });

  it('that leads inside is not connected to', async () => {
    let asked = 0;
    const port = await listening(createServer(() => (asked += 1)));
    const allow = readAllowList('http://.contoso.example:* public');
    const lookup = () => Promise.resolve([{ address: '127.0.0.1' }]);
    expect(await send(`http://hooks.contoso.example:${port}/`, { allow, lookup })).toMatchObject({
      outcome: 'retry',
      why: 'destination-refused',
      detail: expect.stringContaining('loopback'),
    });
    expect(asked).toBe(0);
  });

  it('that nobody knows is tried again', async () => {
    const lookup = () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));
    expect(await send('https://hooks.contoso.example', { lookup })).toMatchObject({ why: 'name-unknown' });
  });

  it('that is not found in time is tried again', async () => {
    const lookup = () => new Promise<never>(() => undefined);
    expect(await send('https://hooks.contoso.example', { lookup, limitMs: 20 })).toMatchObject({
      why: 'timed-out',
    });
  });
});

describe('A URL', () => {
  it.each([
    'nonsense',
    'ftp://127.0.0.1/',
    'file:///etc/passwd',
    'http://user:word@127.0.0.1/',
    'https://[::1/',
  ])('like %s is refused', async (url) => {
    expect(await send(url)).toMatchObject({ outcome: 'retry', why: 'destination-refused' });
  });
});

describe('Over HTTPS', () => {
  const ready = certificate();
  const served = async () => {
    const port = await listening(
      createTlsServer(await ready, (_, response) => response.end('{"acknowledged":7}')),
    );
    return `https://hooks.contoso.example:${port}/`;
  };
  const lookup = () => Promise.resolve([{ address: '127.0.0.1' }]);

  it('the certificate is checked against the name, not the address', async () => {
    const { cert } = await ready;
    expect(await send(await served(), { lookup, ca: cert })).toMatchObject({ outcome: 'delivered' });
    const other = (await served()).replace('hooks.contoso', 'hooks.fabrikam');
    expect(await send(other, { lookup, ca: cert })).toMatchObject({ why: 'certificate-refused' });
  });

  it('a certificate that nobody trusts is refused', async () => {
    expect(await send(await served(), { lookup })).toMatchObject({ why: 'certificate-refused' });
  });
});

async function certificate(): Promise<{ cert: string; key: string }> {
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=hooks.contoso.example',
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 3_600_000),
    signingAlgorithm,
    keys,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'hooks.contoso.example' }])],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { cert: made.toString('pem'), key: x509.PemConverter.encode(pkcs8, 'PRIVATE KEY') };
}
