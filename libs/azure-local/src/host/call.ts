import { request, type Agent } from 'node:https';

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; throws when it is something else. */
  json(): unknown;
}

export type Call = (url: string, options?: CallOptions) => Promise<Answer>;

/**
 * A small `fetch` over an agent that trusts the emulator's authority; `fetch` itself learns authorities only when its process
 * starts. Rejects with code `ECONNRESET` when a fault cuts the connection.
 */
export function callTrusting(agent: Agent): Call {
  return (url, { method = 'GET', headers = {}, body } = {}) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      const type =
        body === undefined || typeof body === 'string' ? {} : { 'content-type': 'application/json' };
      const length = { 'content-length': String(Buffer.byteLength(text)) };
      const sent = request(
        url,
        { method, agent, headers: { ...type, ...length, ...headers } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const answer = Buffer.concat(chunks).toString('utf8');
            const json = (): unknown => JSON.parse(answer);
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text: answer, json });
          });
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
}
