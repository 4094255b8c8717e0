import { describe, expect, it } from '@jest/globals';
import { fingerprintOf } from './fingerprint.js';
import { SecretText } from './secret-text.js';

const salt = new SecretText('salt-of-this-installation');

describe('a fingerprint', () => {
  it('is the same for the same key and salt, in every process', () => {
    expect(fingerprintOf(new SecretText('some key'), salt)).toBe(
      fingerprintOf(new SecretText('some key'), salt),
    );
    expect(fingerprintOf(new SecretText('some key'), salt)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('differs for another key, and under another salt', () => {
    const one = fingerprintOf(new SecretText('some key'), salt);
    expect(fingerprintOf(new SecretText('some keY'), salt)).not.toBe(one);
    expect(fingerprintOf(new SecretText('some key'), new SecretText('another salt'))).not.toBe(one);
  });
});
