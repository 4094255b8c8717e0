import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { acknowledgementText, type KeyAcknowledged } from '@twinkey/contracts';

/** An ed25519 public key in front of its 32 bytes (RFC 8410, section 4). */
const PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** Reading a key takes as long as verifying with it, and each instance comes again with every switch. */
const keys = new Map<string, KeyObject>();
const MOST_KEYS = 10_000;

/** Was this acknowledgement signed by the process whose voice that is (RFC 8032)? */
export function isSigned(said: KeyAcknowledged, voice: Buffer): boolean {
  if (said.signature === undefined) return false;
  const text = Buffer.from(acknowledgementText(said));
  return verify(null, text, keyOf(voice), Buffer.from(said.signature, 'base64url'));
}

function keyOf(voice: Buffer): KeyObject {
  const name = voice.toString('base64');
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: Buffer.concat([PREFIX, voice]), format: 'der', type: 'spki' });
  if (keys.size >= MOST_KEYS) keys.clear();
  keys.set(name, key);
  return key;
}
