import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeKeyPair, writeSharedSecret } from './secret.js';

/** A new shared secret of 32 bytes: `whsec_…`, for the sender and the receiver. */
export function generateSharedSecret(): string {
  return writeSharedSecret(randomBytes(32));
}

/** A new ed25519 key: `whsk_…` for the sender, `whpk_…` for everybody who checks. */
export function generateKeyPair(): { secret: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d = '', x = '' } = privateKey.export({ format: 'jwk' });
  return writeKeyPair(Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url'));
}
