import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { isObject, jsonValue } from '../host/plugin.js';
import type { SecretCopy, SecretVersion } from './state.js';

const form = 'secret-backup-1';
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Seals copies of secrets into blobs that only vaults of the same subscription open again, as Azure's are.
 *
 * The nonce comes from the text (so nothing here is random): equal copies give equal blobs, others other nonces.
 */
export class BackupSeal {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = createHash('sha256').update(`${form}:${secret}`).digest();
  }

  seal(copy: SecretCopy): string {
    const text = Buffer.from(JSON.stringify({ form, ...copy }));
    const nonce = createHmac('sha256', this.#key).update(text).digest().subarray(0, nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    const hidden = Buffer.concat([cipher.update(text), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString('base64url');
  }

  /** `undefined` for what was sealed elsewhere, changed on the way, or is no backup at all. */
  open(blob: string): SecretCopy | undefined {
    const bytes = Buffer.from(blob, 'base64url');
    if (bytes.length <= nonceBytes + tagBytes) return undefined;
    try {
      const cipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, nonceBytes));
      cipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const text = Buffer.concat([cipher.update(bytes.subarray(nonceBytes + tagBytes)), cipher.final()]);
      const read = jsonValue(text);
      if (!isObject(read) || read['form'] !== form) return undefined;
      // What the seal vouches for was written by `seal`.
      return {
        name: read['name'] as string,
        current: read['current'] as string,
        versions: read['versions'] as readonly SecretVersion[],
      };
    } catch {
      return undefined; // the tag does not match
    }
  }
}
