import type { Incoming, Operation } from '../host/plugin.js';

export interface AiOperation extends Operation {
  readonly name: 'call' | 'issueToken';
  /** The account's name: the first segment of the path, or whose key it is at a region's own endpoint. */
  readonly target: string;
}

/** What a request shows to be let in. A key is looked for first. */
export type Credential =
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' };

/** Kinds of account whose keys buy tokens: the two services that accept them, and those that contain both. */
const tokenKinds = new Set(['SpeechServices', 'TextTranslation', 'CognitiveServices', 'AIServices']);
/** Kinds of account that contain the translator. */
const translatorKinds = new Set(['TextTranslation', 'CognitiveServices', 'AIServices']);

/** `ownerOf`: whose key it is, for a region's token exchange, which names no account. */
export function recogniseCall(request: Incoming, ownerOf: (key: string) => string): AiOperation {
  if (isRegionalExchange(request)) {
    const credential = credentialOf(request);
    return { name: 'issueToken', target: credential.kind === 'key' ? ownerOf(credential.key) : '' };
  }
  const isExchange = request.method === 'POST' && pathOf(request) === 'sts/v1.0/issuetoken';
  return { name: isExchange ? 'issueToken' : 'call', target: request.segments[0] ?? '' };
}

/** The path below the account, in lower case: the data plane minds no capitals. */
export function pathOf({ segments }: Incoming): string {
  return segments.slice(1).join('/').toLowerCase();
}

export function credentialOf(request: Incoming): Credential {
  const { headers } = request;
  const key = headers['ocp-apim-subscription-key'] ?? headers['api-key'];
  if (typeof key === 'string') return { kind: 'key', key };
  const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (token === undefined) return { kind: 'none' };
  // The clients of OpenAI itself know one header only; its newest routes take a key in it.
  return isOpenAiV1(request) && token.split('.').length !== 3
    ? { kind: 'key', key: token }
    : { kind: 'token', token };
}

export function isOpenAi(request: Incoming): boolean {
  return pathOf(request).startsWith('openai/');
}

export function isOpenAiV1(request: Incoming): boolean {
  return pathOf(request).startsWith('openai/v1/');
}

export function sellsTokens(kind: string): boolean {
  return tokenKinds.has(kind);
}

/** What needs no key: which languages the translator knows. */
export function isOpen(kind: string, request: Incoming): boolean {
  const isLanguages = /^(translator\/text\/v3\.0\/)?languages$/.test(pathOf(request));
  return request.method === 'GET' && isLanguages && translatorKinds.has(kind);
}

/** `https://{region}.api.cognitive.microsoft.com/sts/v1.0/issueToken`: no account in the path. */
export function isRegionalExchange({ method, segments }: Incoming): boolean {
  return method === 'POST' && segments.join('/').toLowerCase() === 'sts/v1.0/issuetoken';
}
