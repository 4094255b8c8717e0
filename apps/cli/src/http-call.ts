// HTTP without `fetch`: loading it costs 150 ms of processor time, more than all the rest of a command.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** To be read, or ended by the signal. */
  readonly body: IncomingMessage;
}

/** One request on a connection of its own. Rejects with the network's error; any status is an answer. */
export async function call(url: string, { method, headers, body, signal }: Call): Promise<Answer> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const asked = request(url, { method, headers: { ...headers, ...length }, signal, agent: false });
    asked.on('response', (response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

export async function readText({ body }: Answer): Promise<string> {
  body.setEncoding('utf8');
  let text = '';
  for await (const chunk of body) text += String(chunk);
  return text;
}
