import { AccountId } from '@twinkey/contracts';
import { describe, expect, it } from '@jest/globals';
import { secretNameOf, sharedSecrets } from './index.js';

const account = (name: string, group = 'rg') =>
  AccountId.parse(
    `/subscriptions/1b8f3a52/resourceGroups/${group}/providers/Microsoft.CognitiveServices/accounts/${name}`,
  );
const claim = (id: AccountId, name: string, vaultUrl = 'https://one.vault.azure.net') => ({
  account: id,
  secret: { vaultUrl, name },
});

describe('the secret of an account', () => {
  it.each([
    ['speech-prod', 'speech-prod'],
    ['my.vision_2', 'my-vision-2'],
  ])('of %s is called %s', (name, secret) => {
    expect(secretNameOf(account(name))).toBe(secret);
  });

  it('is found out when a second account would write it too', () => {
    const shared = sharedSecrets([
      claim(account('speech'), 'speech'),
      claim(account('speech', 'other'), 'Speech', 'https://ONE.vault.azure.net/'),
      claim(account('vision'), 'vision'),
    ]);
    expect(shared.map(({ accounts }) => accounts)).toEqual([[account('speech'), account('speech', 'other')]]);
  });

  it('may have the same name in another vault', () => {
    expect(
      sharedSecrets([
        claim(account('speech'), 'speech'),
        claim(account('speech', 'other'), 'speech', 'https://two.vault.azure.net'),
      ]),
    ).toEqual([]);
  });

  it('is not shared with oneself', () => {
    expect(sharedSecrets([claim(account('speech'), 's'), claim(account('speech'), 's')])).toEqual([]);
  });
});
