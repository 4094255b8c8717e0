import { describe, expect, it } from '@jest/globals';
import { inMemory } from '../host/persist.js';
import { Accounts, type Account } from './state.js';

function situation() {
  const clock = { now: 1_000_000 };
  const accounts = new Accounts(inMemory<Account>(), () => clock.now);
  const { account } = accounts.put({ name: 'Language', kind: 'TextAnalytics' });
  return { clock, accounts, account };
}

describe('an account whose key1 is regenerated', () => {
  it('gets a new key1, keeps key2 and refuses the old key at once', () => {
    const { accounts, account } = situation();
    const after = accounts.regenerate(account, 'key1', undefined);
    expect(after.keys.key1).not.toBe(account.keys.key1);
    expect(after.keys.key2).toBe(account.keys.key2);
    expect(accounts.judge(after, account.keys.key1)).toEqual({ accepted: false, slot: 'former' });
    expect(accounts.judge(after, after.keys.key1)).toEqual({ accepted: true, slot: 'key1' });
    expect(accounts.judge(after, account.keys.key2)).toEqual({ accepted: true, slot: 'key2' });
  });

  it('shows the old pair to a stale read, however often the other slot was regenerated before', () => {
    const { accounts, account } = situation();
    const second = accounts.regenerate(account, 'key2', undefined);
    const third = accounts.regenerate(second, 'key1', undefined);
    expect(accounts.keys(third, true)).toEqual(second.keys);
    expect(accounts.keys(third, false)).toEqual(third.keys);
  });

  it('still knows a key of many regenerations ago as dead, not as a stranger', () => {
    const { accounts, account } = situation();
    let latest = account;
    for (let n = 0; n < 20; n += 1) latest = accounts.regenerate(latest, n % 2 ? 'key2' : 'key1', undefined);
    expect(accounts.judge(latest, account.keys.key1).slot).toBe('former');
    expect(accounts.judge(latest, 'never-a-key').slot).toBe('unknown');
  });
});

describe('an account behind slow gateways', () => {
  it('honours the old key and ignores the new one until they have heard', () => {
    const { clock, accounts, account } = situation();
    const after = accounts.regenerate(account, 'key1', { oldKeyForMs: 5_000, newKeyAfterMs: 2_000 });
    const verdicts = () => [account, after].map(({ keys }) => accounts.judge(after, keys.key1).accepted);
    expect(verdicts()).toEqual([true, false]);
    clock.now += 2_000;
    expect(verdicts()).toEqual([true, true]);
    clock.now += 3_000;
    expect(verdicts()).toEqual([false, true]);
  });
});

describe('a keyless account', () => {
  it('accepts neither key', () => {
    const { accounts, account } = situation();
    const keyless = accounts.patch('language', { disableLocalAuth: true }) ?? account;
    expect(accounts.judge(keyless, account.keys.key1)).toMatchObject({ accepted: false, keysDisabled: true });
  });
});

describe('an account that is put again', () => {
  it('keeps its keys', () => {
    const { accounts, account } = situation();
    const again = accounts.put({ name: 'LANGUAGE', tags: { a: 'b' } });
    expect(again).toMatchObject({
      created: false,
      account: { name: 'Language', keys: account.keys, tags: { a: 'b' } },
    });
  });
});

describe('an account that is being changed', () => {
  it('is settled when its time is over', () => {
    const { clock, accounts, account } = situation();
    expect(accounts.isSettled(account)).toBe(true);
    const changing = accounts.patch('language', { tags: { a: 'b' } }, 5_000) ?? account;
    expect(accounts.isSettled(changing)).toBe(false);
    clock.now += 5_000;
    expect(accounts.isSettled(changing)).toBe(true);
    accounts.hold('language', 1_000);
    expect(accounts.isSettled(accounts.get('language') ?? account)).toBe(false);
  });
});

describe('accounts of the same chance', () => {
  it('are the same to the last letter', () => {
    const chance = { id: () => 'id', below: () => 3 };
    const made = () => new Accounts(inMemory<Account>(), () => 0, chance).put({ name: 'a' }).account;
    expect(made()).toEqual(made());
  });
});
