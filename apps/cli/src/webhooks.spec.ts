// The commands about webhooks against a notifier of three answers; what the notifier really answers is its own spec.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EXIT } from './exit-codes.js';
import { createProgram } from './program.js';

const delivery = {
  delivery: 7,
  event: 'kc-0123456789abcdef-g3-r1',
  kind: 'key-changed',
  account: 'speech-weu',
  generation: 3,
  state: 'waiting',
  createdAt: '2026-03-02T08:00:00.000Z',
  deadlineAt: '2026-03-02T09:00:00.000Z',
  attempts: 2,
  log: [
    {
      attempt: 1,
      at: '2026-03-02T08:00:00.000Z',
      outcome: 'retry',
      status: 500,
      detail: 'The receiver answered 500.',
    },
    { attempt: 2, at: '2026-03-02T08:00:05.000Z' },
  ],
};
const ended = (attempt: object) => ({
  ...delivery,
  attempts: 3,
  log: [{ attempt: 3, at: delivery.createdAt, ...attempt }],
});

let server: Server;
let url: string;
let said: { asked: string[]; out: string };
let answers: Record<string, unknown[]>;

beforeEach(async () => {
  said = { asked: [], out: '' };
  server = createServer((request, response) => {
    const asked = `${request.method ?? ''} ${request.url ?? ''}`;
    said.asked.push(asked);
    const queue = answers[asked] ?? [];
    const answer = queue.length > 1 ? queue.shift() : queue[0];
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify(answer ?? { code: 'webhook-unknown', detail: 'No consumer is declared like that.' }),
    );
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said.out += String(text);
    return true;
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

async function twinkey(...args: string[]): Promise<string> {
  said.out = '';
  await createProgram().parseAsync(['node', 'twinkey', '-q', '--no-color', ...args, '--notifier-url', url]);
  return said.out;
}

describe('twinkey webhooks', () => {
  const latest = 'GET /v1/webhooks/support-desk/deliveries?limit=200';
  const one = 'GET /v1/webhooks/support-desk/deliveries?delivery=7';
  const again = 'POST /v1/webhooks/support-desk/deliveries/7/resend';

  it('lists the endpoints with what their receivers check signatures with', async () => {
    const webhook = {
      consumer: 'support-desk',
      url: 'https://hooks.contoso.example/keys',
      publicKeys: ['whpk_public'],
      accounts: ['speech-weu'],
      state: 'ready',
      waiting: 0,
    };
    answers = { 'GET /v1/webhooks': [{ webhooks: [webhook] }] };
    expect(await twinkey('webhooks', 'list')).toMatch(
      /support-desk +ready +0 +- +speech-weu +whpk_public +https:\/\/hooks\.contoso\.example\/keys/,
    );
  });

  it('logs messages, or each attempt', async () => {
    answers = { 'GET /v1/webhooks/support-desk/deliveries?limit=20': [{ deliveries: [delivery] }] };
    expect(await twinkey('webhooks', 'log', 'support-desk')).toMatch(
      /7 +speech-weu g3 +waiting +2 .* under way/,
    );
    const attempts = (await twinkey('webhooks', 'log', 'support-desk', '--attempts')).trim().split('\n');
    expect(attempts.slice(1).map((line) => line.replace(/ +\d+d\S* ago/, ''))).toEqual([
      expect.stringMatching(/^7 +speech-weu g3 +2 .*under way$/),
      expect.stringMatching(/^7 +speech-weu g3 +1 .*The receiver answered 500\.$/),
    ]);
  });

  it('sends the latest message about a key once more, and waits for a new attempt to end', async () => {
    const test = { ...delivery, kind: 'test', delivery: 8 };
    answers = {
      [latest]: [{ deliveries: [test, delivery] }],
      [again]: [{ delivery: 7 }],
      [one]: [{ deliveries: [delivery] }, { deliveries: [ended({ outcome: 'acknowledged', status: 200 })] }],
    };
    expect(await twinkey('webhooks', 'resend', 'support-desk')).toContain('acknowledged (200)');
    expect(said.asked).toEqual([latest, again, one, one]);
  });

  it('fails when a test was not taken, and says why', async () => {
    const detail = 'The receiver answered 500.';
    answers = {
      'POST /v1/webhooks/support-desk/test': [{ delivery: 7 }],
      [one]: [{ deliveries: [ended({ outcome: 'retry', detail })] }],
    };
    await expect(twinkey('webhooks', 'test', 'support-desk')).rejects.toMatchObject({
      exitCode: EXIT.failed,
      lines: { why: detail },
    });
  });

  it('says which service cannot be asked, and what else there is to look at', async () => {
    answers = {};
    await expect(twinkey('webhooks', 'test', 'nobody')).rejects.toMatchObject({
      exitCode: EXIT.notFound,
      lines: { remedy: expect.stringContaining('twinkey webhooks list') },
    });
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    await expect(twinkey('webhooks', 'list')).rejects.toMatchObject({
      lines: { what: `The notifier at ${url} cannot be reached.` },
    });
  });
});
