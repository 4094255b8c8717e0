// An endpoint that is told of new keys, as its owner would write it: over real HTTP, on loopback.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readVerifier, verify } from '@twinkey/webhook';

/** What came. */
export interface Heard {
  readonly id: string;
  /** Whether the signature is known and the time is now. */
  readonly verified: boolean;
  readonly signatures: number;
  readonly headers: string;
  readonly body: string;
  readonly event: { readonly type: string; readonly id: string; readonly data: Record<string, unknown> };
}

export interface Reply {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

export interface Receiver {
  readonly url: string;
  readonly heard: Heard[];
  /** How many requests were there at the same time at most. */
  readonly atOnce: () => number;
  /** What is answered from now on. */
  answer: (heard: Heard) => Reply | Promise<Reply>;
  close(): Promise<void>;
}

/** `knows` are the verifiers (`whsec_`, `whpk_`) that it has. */
export async function startReceiver(knows: readonly string[]): Promise<Receiver> {
  let now = 0;
  let most = 0;
  const heard: Heard[] = [];
  const server: Server = createServer((request, response) => {
    now += 1;
    most = Math.max(most, now);
    response.on('close', () => (now -= 1));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { headers } = request;
      const body = Buffer.concat(chunks).toString();
      const one: Heard = {
        id: String(headers['webhook-id']),
        verified: verify({ headers, body }, knows.map(readVerifier), new Date()).verified,
        signatures: String(headers['webhook-signature']).split(' ').length,
        headers: JSON.stringify(headers),
        body,
        event: JSON.parse(body) as Heard['event'],
      };
      heard.push(one);
      void Promise.resolve(receiver.answer(one)).then(({ status, body: text, headers: more = {} }) => {
        response.writeHead(status, more).end(text);
      });
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?token=of-the-receiver`,
    heard,
    atOnce: () => most,
    answer: () => ({ status: 204 }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
  return receiver;
}
