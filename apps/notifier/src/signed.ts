import { createPublicKey, verify } from 'node:crypto';
import { acknowledgementText, type KeyAcknowledged } from '@twinkey/contracts';

/** An ed25519 public key in front of its 32 bytes (RFC 8410, section 4). */
const PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Was this acknowledgement signed by the process whose voice that is (RFC 8032)? */
export function isSigned(said: KeyAcknowledged, voice: Buffer): boolean {
  if (said.signature === undefined) return false;
  const key = createPublicKey({ key: Buffer.concat([PREFIX, voice]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(acknowledgementText(said)), key, Buffer.from(said.signature, 'base64url'));
}
