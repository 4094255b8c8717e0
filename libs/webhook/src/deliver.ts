import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { refusalOf, type AllowList } from './allow-list.js';
import { failedAttempt, outcomeOf, retry, type Outcome } from './outcome.js';
import type { SigningSecret } from './secret.js';
import { sign, type WebhookHeaders } from './sign.js';

/** One message on its way to one receiver. */
export interface Delivery {
  readonly url: string;
  /** Names the event; the same at every attempt. */
  readonly id: string;
  readonly body: string;
  readonly contentType: string;
  /** More than one while a secret is replaced by another. */
  readonly secrets: readonly SigningSecret[];
}

/** All addresses of a name. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string }[]>;

export interface Surroundings {
  readonly allow: AllowList;
  readonly lookup?: Lookup;
  readonly now?: () => Date;
  /** Names what sends, to whoever reads the receiver's logs. */
  readonly userAgent?: string;
  /** From the beginning to the last byte of the answer. Receivers are advised to answer within 15 seconds. */
  readonly limitMs?: number;
  /** What of an answer is read. */
  readonly answerBytes?: number;
  /** Certificate authorities in place of those that Node trusts (PEM). */
  readonly ca?: string;
  /** The process ends: the attempt is given up. */
  readonly signal?: AbortSignal;
}

export const DEFAULT_LIMIT_MS = 15_000;
export const DEFAULT_ANSWER_BYTES = 64 * 1024;

/**
 * Makes one attempt: looks the name up once, judges every address, connects to what was judged and to nothing else,
 * follows no redirect, and reads no more of the answer than allowed. Never throws for what a receiver, a network or a
 * URL does.
 */
export async function deliver(delivery: Delivery, surroundings: Surroundings): Promise<Outcome> {
  const { limitMs = DEFAULT_LIMIT_MS, signal, now = () => new Date() } = surroundings;
  const signed = sign(delivery, now(), delivery.secrets); // throws for a mistake of the caller
  const limit = new AbortController();
  const timer = setTimeout(() => {
    limit.abort();
  }, limitMs);
  const ended = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
  try {
    return await orAborted(attempt(delivery, signed, { ...surroundings, now }, ended), ended);
  } catch (error) {
    if (signal?.aborted === true) return retry('interrupted', 'The sender was stopped during the attempt.');
    if (limit.signal.aborted) return retry('timed-out', `The attempt took longer than ${limitMs} ms.`);
    return failedAttempt(error);
  } finally {
    clearTimeout(timer);
  }
}

async function attempt(
  delivery: Delivery,
  signed: WebhookHeaders,
  { allow, lookup = everyAddress, now, ...more }: Surroundings & { now: () => Date },
  signal: AbortSignal,
): Promise<Outcome> {
  const url = readUrl(delivery.url);
  if (typeof url === 'string') return retry('destination-refused', url);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const found = isIP(host) === 0 ? await lookup(host) : [{ address: host }];
  const addresses = found.map(({ address }) => address);
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  const port = url.port === '' ? { http: 80, https: 443 }[scheme] : Number(url.port);
  const refusal = refusalOf(allow, { scheme, host, port, addresses });
  if (refusal !== null) return retry('destination-refused', refusal);
  signal.throwIfAborted();

  const body = Buffer.from(delivery.body);
  const headers = {
    'content-type': delivery.contentType,
    'content-length': String(body.length),
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': more.userAgent ?? 'standard-webhooks-sender',
    ...signed,
  };
  return post(
    url,
    { ...pinnedTo(addresses), headers, signal, ...(more.ca === undefined ? {} : { ca: more.ca }) },
    body,
    {
      now,
      answerBytes: more.answerBytes ?? DEFAULT_ANSWER_BYTES,
    },
  );
}

function post(
  url: URL,
  options: RequestOptions,
  body: Buffer,
  { now, answerBytes }: { now: () => Date; answerBytes: number },
): Promise<Outcome> {
  const send = url.protocol === 'http:' ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    // No agent: a connection of its own, which nobody opened before its address was judged.
    const request = send(url, { ...options, method: 'POST', agent: false }, (answer) => {
      readAnswer(answer, answerBytes).then((read) => {
        const status = answer.statusCode ?? 0;
        // An acknowledgement may have stood in what is missing; receivers know the id of what they have seen.
        resolve(
          read === 'cut-off'
            ? retry('answer-cut-off', `The answer (${status}) broke off.`)
            : outcomeOf(status, answer.headers, read, now()),
        );
        request.destroy();
      }, reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** All of it; null when it is longer than allowed, and the rest stays where it is. */
function readAnswer(answer: IncomingMessage, most: number): Promise<Buffer | null | 'cut-off'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    answer.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > most) resolve(null);
      else chunks.push(chunk);
    });
    answer.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    answer.on('error', () => {
      resolve('cut-off');
    });
    answer.on('close', () => {
      resolve('cut-off'); // counts only when nothing was resolved before
    });
  });
}

/** A second look-up could give another address than the one that was judged: there is none. */
function pinnedTo(addresses: readonly string[]): Pick<RequestOptions, 'lookup'> {
  const pinned = addresses.map((address) => ({ address, family: isIP(address) }));
  return {
    lookup: (_host, { all }, callback) => {
      const [first = { address: '', family: 4 }] = pinned;
      if (all === true) callback(null, pinned);
      else callback(null, first.address, first.family);
    },
  };
}

/** The URL, or why it is none to send to. */
function readUrl(text: string): URL | string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return 'The URL cannot be read.';
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'The URL must begin with https:// (or http://).';
  if (url.username !== '' || url.password !== '') return 'The URL must hold no user and no password.';
  return url;
}

const everyAddress: Lookup = (host) => systemLookup(host, { all: true });

/** A look-up cannot be cancelled; it is left alone. */
function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      reject(new Error('aborted'));
    };
    if (signal.aborted) aborted();
    signal.addEventListener('abort', aborted, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', aborted);
    });
  });
}
