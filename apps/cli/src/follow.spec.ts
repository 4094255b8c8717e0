import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConsoleClient } from './console-client.js';
import { follow } from './follow.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listening(handler: RequestListener): Promise<ConsoleClient> {
  const open = createServer(handler);
  server = open;
  await new Promise<void>((resolve) => open.listen(0, '127.0.0.1', resolve));
  return new ConsoleClient(`http://127.0.0.1:${(open.address() as AddressInfo).port}`);
}

const event = (position: number) => ({ position, event: 'step-done', what: {} });
const sent = (position: number) => `id: ${position}\ndata: ${JSON.stringify(event(position))}\n\n`;

async function firstOf(client: ConsoleClient, many: number, troubles: string[] = []): Promise<number[]> {
  const enough = new AbortController();
  const positions: number[] = [];
  const onTrouble = (sentence: string) => troubles.push(sentence);
  for await (const { position } of follow({
    client,
    path: '/events',
    after: 0,
    signal: enough.signal,
    onTrouble,
  })) {
    positions.push(position);
    if (positions.length === many) enough.abort();
  }
  return positions;
}

describe('a stream that breaks off', () => {
  it('is taken up after the last event that was seen', async () => {
    const asked: (string | undefined)[] = [];
    const client = await listening((request, response) => {
      asked.push(request.headers['last-event-id']?.toString());
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      if (asked.length === 1) response.end(sent(1) + sent(2));
      else response.write(sent(3));
    });
    expect(await firstOf(client, 3)).toEqual([1, 2, 3]);
    expect(asked).toEqual(['0', '2']);
  });
});

describe('where no stream gets through', () => {
  it('asks again and again instead', async () => {
    const client = await listening((request, response) => {
      const after = Number(new URL(request.url ?? '', 'http://x').searchParams.get('after'));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ events: [event(after + 1)] }));
    });
    expect(await firstOf(client, 2)).toEqual([1, 2]);
  });

  it('notices that a proxy holds the stream back', async () => {
    const client = await listening((request, response) => {
      if (request.url?.includes('watch')) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        return; // not a byte follows
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ events: [event(1)] }));
    });
    expect(await firstOf(client, 1)).toEqual([1]);
  });
});

describe('a console that is away for a moment', () => {
  it('is waited for, and that is said once', async () => {
    let requests = 0;
    const client = await listening((_, response) => {
      requests += 1;
      if (requests <= 2) response.destroy();
      else response.writeHead(200, { 'content-type': 'text/event-stream' }).write(sent(1));
    });
    const troubles: string[] = [];
    expect(await firstOf(client, 1, troubles)).toEqual([1]);
    expect(troubles).toHaveLength(1);
  });

  it('is not waited for when it says no', async () => {
    const client = await listening((_, response) => {
      response.writeHead(404, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'rotation-unknown', detail: 'No rotation "r-1" is known.' }));
    });
    await expect(firstOf(client, 1)).rejects.toMatchObject({ exitCode: 3 });
  });
});
