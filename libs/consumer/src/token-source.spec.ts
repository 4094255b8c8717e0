import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generation } from '@twinkey/contracts';
import { HandTime } from './fake/hand-time.js';
import { KeyHolder } from './key-holder.js';
import { TokenDeaths } from './token-deaths.js';
import { TokenSource } from './token-source.js';

let server: Server;
let asked: (response: ServerResponse) => void = () => undefined;
const requests: { method?: string | undefined; url?: string | undefined; key: unknown }[] = [];

beforeAll(async () => {
  server = createServer(({ method, url, headers }, response) => {
    requests.push({ method, url, key: headers['ocp-apim-subscription-key'] });
    asked(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

function source() {
  const holder = new KeyHolder('speech-weu');
  holder.install({ key: 'first key', generation: generation(1) });
  const deaths = new TokenDeaths();
  const tokens = new TokenSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}/speech-weu/`, {
    name: 'speech-weu',
    healing: {
      holder,
      confirm: () => undefined,
      findNewer: () => Promise.resolve(false),
      refused: () => undefined,
    },
    deaths,
    timing: new HandTime(),
    closing: new AbortController().signal,
    fetch,
    failed: () => undefined,
    handedOut: () => undefined,
  });
  return { holder, deaths, tokens };
}

describe('an exchange', () => {
  it('is one POST with the key, and in flight like any call until its token is known', async () => {
    const { holder, deaths, tokens } = source();
    const arrived = new Promise<ServerResponse>((resolve) => (asked = resolve));
    const token = tokens.getToken();
    const response = await arrived;
    holder.install({ key: 'second key', generation: generation(2) });
    let known = -Infinity;
    const landed = holder.landed(generation(2)).then(() => {
      known = deaths.lastBelow(generation(2));
    });
    response.end('a.b.c');
    expect(await token).toBe('a.b.c');
    await landed;
    expect(new Date(known).toISOString()).toBe('2026-01-01T00:10:00.000Z');
    expect(requests).toEqual([{ method: 'POST', url: '/speech-weu/sts/v1.0/issueToken', key: 'first key' }]);
  });

  it('fails when what comes back is no token', async () => {
    asked = (response) => response.end('<html>not here</html> ');
    await expect(source().tokens.getToken()).rejects.toThrow(/without a token/);
  });
});
