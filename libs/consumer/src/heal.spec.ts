import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createPipelineRequest,
} from '@azure/core-rest-pipeline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { generation } from '@twinkey/contracts';
import { type Healing, healingFetch, healingPolicy, type RefusedCall } from './heal.js';
import { KeyHolder } from './key-holder.js';

/** A data plane that accepts one key and notes what it was sent. */
let server: Server;
let url: string;
let accepted = 'key of 1';
const received: { key: string; header: string; body: string; authorization?: string | undefined }[] = [];

beforeEach(async () => {
  received.length = 0;
  accepted = 'key of 1';
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const openai = request.headers['api-key'];
      const key = String(openai ?? request.headers['ocp-apim-subscription-key']);
      const header = openai === undefined ? 'ocp-apim-subscription-key' : 'api-key';
      received.push({ key, header, body, authorization: request.headers.authorization });
      response.writeHead(key === accepted ? 200 : 401).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** `inVault`: the generation that looking finds. */
function instance({ inVault }: { inVault: number }) {
  const holder = new KeyHolder('speech-prod');
  holder.install({ key: 'key of 1', generation: generation(1) });
  const refused: RefusedCall[] = [];
  let looked = 0;
  const healing: Healing = {
    holder,
    confirm: () => undefined,
    findNewer: (than) => {
      looked += 1;
      if (inVault > than) holder.install({ key: `key of ${inVault}`, generation: generation(inVault) });
      return Promise.resolve(inVault > than);
    },
    refused: (call) => refused.push(call),
  };
  return { holder, refused, healing, looked: () => looked };
}

describe('a call through fetch', () => {
  it('carries the key', async () => {
    const { healing } = instance({ inVault: 1 });
    const answer = await healingFetch(healing)(url, { method: 'POST', body: 'hello' });
    expect(answer.status).toBe(200);
    expect(received).toEqual([{ key: 'key of 1', header: 'ocp-apim-subscription-key', body: 'hello' }]);
  });

  it('carries it where OpenAI clients put theirs', async () => {
    const { healing } = instance({ inVault: 1 });
    await healingFetch(healing)(url, { headers: { 'api-key': 'whatever was configured' } });
    expect(received).toMatchObject([{ key: 'key of 1', header: 'api-key' }]);
  });
});

describe('a call of a client that knows one header only', () => {
  it('carries the key where every route of OpenAI takes it, and not twice', async () => {
    const { healing } = instance({ inVault: 1 });
    const headers = { Authorization: 'Bearer whatever was configured' };
    await healingFetch(healing)(new URL('openai/v1/models', url), { headers });
    expect(received).toMatchObject([{ key: 'key of 1', header: 'api-key', authorization: undefined }]);
  });

  it('carries it in the usual place for every other service', async () => {
    const { healing } = instance({ inVault: 1 });
    await healingFetch(healing)(url, { headers: { Authorization: 'Bearer x' } });
    expect(received).toMatchObject([{ header: 'ocp-apim-subscription-key', authorization: undefined }]);
  });
});

describe('a refused call', () => {
  it('is repeated once with the newer key that is found', async () => {
    accepted = 'key of 2';
    const { healing, refused } = instance({ inVault: 2 });
    const answer = await healingFetch(healing)(new Request(url, { method: 'POST', body: 'hello' }));
    expect(answer.status).toBe(200);
    expect(received.map(({ key, body }) => [key, body])).toEqual([
      ['key of 1', 'hello'],
      ['key of 2', 'hello'],
    ]);
    expect(refused).toEqual([{ generation: 1, answers: 1, healed: true }]);
  });

  it('is not repeated when there is no newer key', async () => {
    accepted = 'key of 2';
    const { healing, refused } = instance({ inVault: 1 });
    expect((await healingFetch(healing)(url)).status).toBe(401);
    expect(received).toHaveLength(1);
    expect(refused).toEqual([{ generation: 1, answers: 1, healed: false }]);
  });

  it('is not repeated a second time', async () => {
    accepted = 'key of 3';
    const { healing, refused } = instance({ inVault: 2 });
    expect((await healingFetch(healing)(url)).status).toBe(401);
    expect(received).toHaveLength(2);
    expect(refused).toEqual([{ generation: 1, answers: 2, healed: false }]);
  });

  it('does not look for a key when a newer one came meanwhile', async () => {
    accepted = 'key of 2';
    const { healing, holder, looked } = instance({ inVault: 1 });
    const call = healingFetch(healing)(url);
    holder.install({ key: 'key of 2', generation: generation(2) });
    expect((await call).status).toBe(200);
    expect(looked()).toBe(0);
  });

  it('is not repeated when its body is used up', async () => {
    accepted = 'key of 2';
    const { healing } = instance({ inVault: 2 });
    const stream = new Blob(['hello']).stream();
    const init = { method: 'POST', body: stream, duplex: 'half' } as const;
    expect((await healingFetch(healing)(url, init)).status).toBe(401);
    expect(received).toHaveLength(1);
  });
});

describe('a call through a pipeline', () => {
  it('carries the key in place of the one that it was signed with, and heals', async () => {
    accepted = 'key of 2';
    const { healing, refused } = instance({ inVault: 2 });
    const pipeline = createEmptyPipeline();
    pipeline.addPolicy(healingPolicy(healing), { afterPhase: 'Sign' });
    const request = createPipelineRequest({
      url,
      method: 'POST',
      body: 'hello',
      allowInsecureConnection: true,
    });
    request.headers.set('Ocp-Apim-Subscription-Key', 'an older key');
    const answer = await pipeline.sendRequest(createDefaultHttpClient(), request);
    expect(answer.status).toBe(200);
    expect(received.map(({ key }) => key)).toEqual(['key of 1', 'key of 2']);
    expect(refused).toMatchObject([{ healed: true }]);
  });
});
