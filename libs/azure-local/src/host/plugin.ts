import type { IncomingHttpHeaders } from 'node:http';

/** Milliseconds since 1970. Everything that depends on time asks this, so a test can turn it. */
export type Clock = () => number;

/** One line of what the emulator does; `warn` is for what a person should look at. Never carries a secret. */
export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

export type ServiceName = 'entra' | 'arm' | 'key-vault' | 'ai';

export interface Incoming {
  readonly method: string;
  /** Decoded, without empty segments: the SDKs send trailing and doubled slashes. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** `https://host:port` as the client spelled it; links in answers lead back the same way. */
  readonly origin: string;
  /** What made it unreadable; it is refused by the service that it is for, in that service's words. */
  readonly spoiled?: 'url' | 'body-too-large';
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is (say its content type), anything else as JSON. */
  readonly body?: unknown;
  /** Done when the answer is out and the connection closed. */
  readonly afterwards?: () => void;
}

/** What a request asks for, as faults and logs name it. */
export interface Operation {
  readonly name: string;
  /** The account, secret or client it is about; empty when about none. */
  readonly target: string;
}

/** Faults that change what an operation sees or leaves behind, rather than how its answer travels. */
export interface Circumstances {
  /** Reads answer from before the last change. */
  readonly stale?: boolean;
  /** Gateways learn of a regenerated key late. */
  readonly lag?: { readonly oldKeyForMs: number; readonly newKeyAfterMs: number };
}

/** An emulated service: names the operation (so that a fault can strike), then performs it. */
export interface Service<O extends Operation = Operation> {
  readonly name: ServiceName;
  recognise(request: Incoming): O;
  /** A mere opening of a conversation: it meets only what a service that is down would do to it. None unless said. */
  isOverture?(request: Incoming): boolean;
  perform(operation: O, request: Incoming, circumstances: Circumstances): Promise<Reply>;
  /** An answer that is not about the request, in the service's own error shape: throttled, broken, planted. */
  refuse(status: number, code: string | undefined, message: string | undefined): Reply;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body, headers };
}

/** The JSON object in a body; `undefined` when there is none or it is something else. */
export function jsonObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  const value = jsonValue(body);
  return isObject(value) ? value : undefined;
}

export function jsonValue(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // the service answers 400 in its own words
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tags and the like: an object whose values are all strings. */
export function stringMap(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return entries.length === Object.keys(value).length ? Object.fromEntries(entries) : undefined;
}

/** The `code` of an error of node's, whichever realm made it. */
export function codeOf(error: unknown): string | undefined {
  return isObject(error) && typeof error['code'] === 'string' ? error['code'] : undefined;
}
