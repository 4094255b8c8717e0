// What is signed, by the Standard Webhooks specification: id, time and body, joined by full stops.
import type { SigningSecret } from './secret.js';

export interface WebhookHeaders {
  /** Names the event; the same however often it is sent. */
  readonly 'webhook-id': string;
  /** When this attempt was made, in seconds since 1970. */
  readonly 'webhook-timestamp': string;
  /** One signature per secret, separated by spaces. */
  readonly 'webhook-signature': string;
}

/** A full stop in an id would let two different messages have the same signed content. */
const ID = /^[A-Za-z0-9_-]{1,256}$/;

/**
 * Signs a body for one attempt. With several secrets (while one is replaced by another) it carries a signature of each,
 * and a receiver needs only one of them.
 */
export function sign(
  { id, body }: { readonly id: string; readonly body: string },
  at: Date,
  secrets: readonly SigningSecret[],
): WebhookHeaders {
  if (!ID.test(id)) throw new TypeError('A webhook id has 1 to 256 letters, digits, _ and -.');
  if (secrets.length === 0) throw new TypeError('A webhook is signed with one secret at least.');
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const content = signedContent(id, timestamp, body);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': secrets.map((secret) => secret.signatureOf(content)).join(' '),
  };
}

/** The bytes that are signed. */
export function signedContent(id: string, timestamp: string, body: string | Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`${id}.${timestamp}.`),
    typeof body === 'string' ? Buffer.from(body) : body,
  ]);
}
