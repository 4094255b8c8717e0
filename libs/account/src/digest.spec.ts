import { AccountId, RotationId } from '@twinkey/contracts';
import { describe, expect, it } from '@jest/globals';
import { digest12, rotationIdOf } from './index.js';

const account = AccountId.parse(
  '/subscriptions/1b8f3a52/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/speech-prod',
);

describe('the id of a scheduled rotation', () => {
  // Two releases may run side by side: they must name a rotation alike.
  it('is the same for ever', () => {
    expect(rotationIdOf(account, Date.parse('2026-03-02T08:00:00.000Z'))).toBe('r-a6864c66f4c3');
    expect(digest12('')).toBe('66b5355e0036');
    expect(digest12('twinkey')).toBe('5b20ffb663c4');
  });

  it('is a rotation id', () => {
    for (let dueAt = 0; dueAt < 1000; dueAt += 1) {
      expect(RotationId.safeParse(rotationIdOf(account, dueAt)).success).toBe(true);
    }
  });

  it('is another one for each account and due time', () => {
    const ids = new Set<string>();
    for (let index = 0; index < 200; index += 1) {
      for (let minute = 0; minute < 100; minute += 1) {
        ids.add(digest12(`${account}-${index} ${1_772_438_400_000 + minute * 60_000}`));
      }
    }
    expect(ids.size).toBe(20_000); // 48 bits: a collision among as many has a chance of about 1 in a million
  });

  it('turns about half of its bits when one character changes', () => {
    let turned = 0;
    for (let index = 0; index < 1000; index += 1) {
      const difference =
        BigInt(`0x${digest12(`account-${index}`)}`) ^ BigInt(`0x${digest12(`account-${index + 1}`)}`);
      turned += difference.toString(2).replaceAll('0', '').length;
    }
    expect(turned / 1000 / 48).toBeGreaterThan(0.45);
    expect(turned / 1000 / 48).toBeLessThan(0.55);
  });
});
