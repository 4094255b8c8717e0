import { createHmac } from 'node:crypto';
import { Fingerprint } from '@twinkey/contracts';
import type { SecretText } from './secret-text.js';

/**
 * HMAC-SHA-256 of a key under the installation's salt, 32 hex digits kept: two keys are the same exactly when
 * their fingerprints are, and without the salt a fingerprint cannot be tried against guessed keys.
 */
export function fingerprintOf(key: SecretText, salt: SecretText): Fingerprint {
  const digest = createHmac('sha256', salt.reveal()).update(key.reveal()).digest('hex');
  return Fingerprint.parse(digest.slice(0, 32));
}
