import { describe, expect, it } from '@jest/globals';
import { AccountId, Fingerprint, generation, RotationId } from '@twinkey/contracts';
import { accountTag, readTags, writeTags } from './publication-tags.js';

const account = AccountId.parse(
  '/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590/resourceGroups/ai/providers/Microsoft.CognitiveServices/accounts/speech-prod',
);
const published = {
  account: accountTag(account),
  slot: 'key2',
  generation: generation(7),
  fingerprint: Fingerprint.parse('0123456789abcdef0123456789abcdef'),
  rotation: RotationId.parse('r-0123456789ab'),
} as const;

describe('the tags of a publication', () => {
  it('are read as they were written', () => {
    expect(readTags(writeTags(published))).toEqual(published);
  });

  it('may lack a rotation', () => {
    const { rotation, ...first } = published;
    expect(readTags(writeTags(first))).toEqual(first);
    expect(Object.values(writeTags(first))).not.toContain(rotation);
  });

  it.each([
    ['no tags at all', undefined],
    ['foreign tags only', { owner: 'team-speech' }],
    ['no generation', { ...writeTags(published), 'twinkey-generation': '' }],
    ['generation 0, which is no publication', { ...writeTags(published), 'twinkey-generation': '0' }],
    ['a generation that is no number', { ...writeTags(published), 'twinkey-generation': '7 ' }],
    ['a slot that no account has', { ...writeTags(published), 'twinkey-slot': 'key3' }],
    ['a fingerprint cut short', { ...writeTags(published), 'twinkey-fingerprint': '0123' }],
  ])('are not ours with %s', (_, tags) => {
    expect(readTags(tags)).toBeNull();
  });
});

describe('the account tag', () => {
  it('is the id while that fits into a tag', () => {
    expect(accountTag(account)).toBe(account);
  });

  it('is the name when the id is longer than Key Vault takes', () => {
    const long = AccountId.parse(
      account.replace('/ai/', `/${'g'.repeat(90)}/`).replace('speech', 's'.repeat(59)),
    );
    expect(long.length).toBeGreaterThan(256);
    expect(accountTag(long)).toBe(`${'s'.repeat(59)}-prod`);
  });
});
