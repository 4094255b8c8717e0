import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { SecretText, withoutKeys } from './secret-text.js';

const TEXT = 'not-a-real-key-but-secret';

describe('a secret text that gets printed', () => {
  const secret = new SecretText(TEXT);
  const holder = { keys: { key1: secret } };

  it.each([
    ['as a string', String(secret)],
    ['as JSON', JSON.stringify(holder)],
    ['by inspect', inspect(holder, { depth: null, showHidden: true })],
    ['by its own keys', Object.entries(secret).join()],
  ])('does not show itself %s', (_, printed) => {
    expect(printed).not.toContain(TEXT);
  });

  it('is revealed to whoever asks by name', () => {
    expect(secret.reveal()).toBe(TEXT);
  });
});

describe('a foreign text', () => {
  it('loses what has the shape of a key', () => {
    expect(withoutKeys(`the body was {"key1":"${'a1'.repeat(42)}"}`)).toBe(
      'the body was {"key1":"‹redacted›"}',
    );
    expect(withoutKeys(`key ${'0f'.repeat(16)}.`)).toBe('key ‹redacted›.');
  });

  it('keeps ids and names', () => {
    const said = '/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/production not found';
    expect(withoutKeys(said)).toBe(said);
  });
});
