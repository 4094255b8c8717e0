import { generateKeyPairSync, sign } from 'node:crypto';

/** The key pair of one process: its public half is registered, the private one never leaves the process. */
export interface Voice {
  /** ed25519, 32 bytes as base64url. */
  readonly publicKey: string;
  /** 64 bytes as base64url (RFC 8032). */
  sign(text: string): string;
}

/** Whoever may send to the queue of acknowledgements could name any instance; the signature says which one it was. */
export function newVoice(): Voice {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new Error('An ed25519 key without a public half');
  return { publicKey: x, sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url') };
}
