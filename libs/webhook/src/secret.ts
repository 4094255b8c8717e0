// The secrets that sign webhooks, and what checks their signatures, as the Standard Webhooks specification writes
// them down: whsec_ (a shared secret), whsk_ (a private ed25519 key) and whpk_ (its public half), each with base64.
import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  sign as signWith,
  timingSafeEqual,
  verify as verifyWith,
  type KeyObject,
} from 'node:crypto';

/** `hmac` is HMAC-SHA-256 with a secret that both sides know; `ed25519` leaves the receiver without anything to hide. */
export type SignatureKind = 'hmac' | 'ed25519';

const HMAC_PREFIX = 'whsec_';
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';

/** An ed25519 key in front of its 32 bytes (RFC 8410, sections 4 and 7). */
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');

/** A secret that is not written as it should be. The message names the rule and never the text. */
export class InvalidSecret extends Error {
  override readonly name = 'InvalidSecret';
}

/** Signs. However it is printed, the secret does not appear. */
export interface SigningSecret {
  readonly kind: SignatureKind;
  /** One signature in the form of the header: `v1,…` or `v1a,…`. */
  readonly signatureOf: (content: Uint8Array) => string;
  /** What a receiver may know of it (`whpk_…`); a shared secret has nothing of that kind. */
  readonly publicKey?: string;
}

/** Checks signatures of one kind. */
export interface Verifier {
  readonly kind: SignatureKind;
  /** How signatures that it can check are marked. */
  readonly version: 'v1' | 'v1a';
  readonly accepts: (content: Uint8Array, signature: string) => boolean;
}

/** Reads `whsec_…` or `whsk_…`; white space around it, as files have it, is left out. */
export function readSigningSecret(text: string): SigningSecret {
  const written = text.trim();
  if (written.startsWith(HMAC_PREFIX)) {
    const secret = sharedSecret(written);
    return { kind: 'hmac', signatureOf: (content) => `v1,${hmac(secret, content).toString('base64')}` };
  }
  if (written.startsWith(PRIVATE_PREFIX)) {
    const { key, publicKey } = privateKeyIn(written);
    return {
      kind: 'ed25519',
      signatureOf: (content) => `v1a,${signWith(null, content, key).toString('base64')}`,
      publicKey: `${PUBLIC_PREFIX}${publicKey.toString('base64')}`,
    };
  }
  throw new InvalidSecret('A signing secret begins with whsec_ (shared) or whsk_ (a private ed25519 key).');
}

/** Reads what a receiver has: `whsec_…` or `whpk_…`. */
export function readVerifier(text: string): Verifier {
  const written = text.trim();
  if (written.startsWith(HMAC_PREFIX)) {
    const secret = sharedSecret(written);
    return {
      kind: 'hmac',
      version: 'v1',
      accepts: (content, signature) => sameBytes(hmac(secret, content), Buffer.from(signature, 'base64')),
    };
  }
  if (written.startsWith(PUBLIC_PREFIX)) {
    const key = publicKeyOf(bytesOf(written, PUBLIC_PREFIX, [32]));
    return {
      kind: 'ed25519',
      version: 'v1a',
      accepts: (content, signature) => verifyWith(null, content, key, Buffer.from(signature, 'base64')),
    };
  }
  if (written.startsWith(PRIVATE_PREFIX)) {
    throw new InvalidSecret(
      'whsk_ is the private half and stays with the sender; a receiver checks with whpk_.',
    );
  }
  throw new InvalidSecret('What signatures are checked with begins with whsec_ (shared) or whpk_ (public).');
}

/** Writes the halves of an ed25519 key; the private one as 64 bytes (seed, public half), as other libraries do. */
export function writeKeyPair(seed: Buffer, publicKey: Buffer): { secret: string; publicKey: string } {
  return {
    secret: `${PRIVATE_PREFIX}${Buffer.concat([seed, publicKey]).toString('base64')}`,
    publicKey: `${PUBLIC_PREFIX}${publicKey.toString('base64')}`,
  };
}

/** Writes a shared secret. */
export function writeSharedSecret(secret: Buffer): string {
  return `${HMAC_PREFIX}${secret.toString('base64')}`;
}

const sharedSizes = Array.from({ length: 64 - 24 + 1 }, (_, more) => 24 + more);

function sharedSecret(written: string): Buffer {
  return bytesOf(written, HMAC_PREFIX, sharedSizes);
}

function privateKeyIn(written: string): { key: KeyObject; publicKey: Buffer } {
  const bytes = bytesOf(written, PRIVATE_PREFIX, [32, 64]);
  const key = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER, bytes.subarray(0, 32)]),
    format: 'der',
    type: 'pkcs8',
  });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const publicKey = Buffer.from(x, 'base64url');
  if (bytes.length === 64 && !publicKey.equals(bytes.subarray(32))) {
    throw new InvalidSecret(
      'whsk_ holds a public half that does not belong to its private one; write it anew.',
    );
  }
  return { key, publicKey };
}

function publicKeyOf(bytes: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([PUBLIC_DER, bytes]), format: 'der', type: 'spki' });
}

function bytesOf(written: string, prefix: string, sizes: readonly number[]): Buffer {
  const encoded = written.slice(prefix.length);
  const bytes = Buffer.from(encoded, 'base64');
  // Node reads anything as base64 and leaves out what it does not know: only what it would write itself is right.
  const unpadded = (text: string) => text.replace(/=+$/, '');
  if (unpadded(bytes.toString('base64')) !== unpadded(encoded)) {
    throw new InvalidSecret(`After ${prefix} only base64 (A-Z a-z 0-9 + /) may follow.`);
  }
  if (!sizes.includes(bytes.length)) {
    const allowed = sizes.length > 2 ? `${sizes[0]} to ${sizes.at(-1)}` : sizes.join(' or ');
    throw new InvalidSecret(`${prefix} must hold ${allowed} bytes; it holds ${bytes.length}.`);
  }
  return bytes;
}

function hmac(secret: Buffer, content: Uint8Array): Buffer {
  return createHmac('sha256', secret).update(content).digest();
}

function sameBytes(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
