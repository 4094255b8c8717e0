// How a request shows who it is from: with a key in one of two headers, or with a bearer token; never with both.

/** What requests of fetch and of pipelines have in common. */
interface HeaderBag {
  has(name: string): boolean;
  get(name: string): string | null | undefined;
  set(name: string, value: string): void;
  delete(name: string): void;
}

/** `api-key` is what OpenAI's clients for Azure set; every other service takes the first. */
export const KEY_HEADER = 'Ocp-Apim-Subscription-Key';
export const OPENAI_KEY_HEADER = 'api-key';

/**
 * The header for the key: where the client put one already. OpenAI's plain client puts it after `Bearer`, which its
 * newest routes take; all of them take `api-key`.
 */
export function keyHeaderOf(headers: HeaderBag, url: string): string {
  if (headers.has(OPENAI_KEY_HEADER)) return OPENAI_KEY_HEADER;
  const isOpenAi = headers.has('Authorization') && /\/openai\//i.test(url);
  return isOpenAi ? OPENAI_KEY_HEADER : KEY_HEADER;
}

export function showKey(headers: HeaderBag, header: string, key: string): void {
  headers.delete('Authorization');
  headers.set(header, key);
}

export function showToken(headers: HeaderBag, token: string): void {
  headers.delete(KEY_HEADER);
  headers.delete(OPENAI_KEY_HEADER);
  headers.set('Authorization', `Bearer ${token}`);
}

/** A stream is used up by the first attempt. */
export function isRepeatable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
  return !('getReader' in body || 'pipe' in body || Symbol.asyncIterator in body);
}

export interface FetchAttempts {
  /** The header for the key. */
  readonly header: string;
  readonly isRepeatable: boolean;
  /** Sends the request once more, with its headers changed by `prepare`. */
  readonly send: (prepare: (headers: HeaderBag) => void) => Promise<Response>;
}

/** Where a call of `fetch` goes. */
export function urlOf(input: Parameters<typeof fetch>[0]): string {
  if (input instanceof Request) return input.url;
  return input instanceof URL ? input.href : input;
}

/** One call of `fetch` that may have to be sent several times. */
export function fetchAttempts(
  plain: typeof fetch,
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
): FetchAttempts {
  const given = input instanceof Request ? input : undefined;
  const headers = new Headers(init?.headers ?? given?.headers);
  return {
    header: keyHeaderOf(headers, urlOf(input)),
    isRepeatable: isRepeatable(init?.body),
    send: (prepare) => {
      prepare(headers);
      return plain(given?.clone() ?? input, { ...init, headers });
    },
  };
}
