import { describe, expect, it } from '@jest/globals';
import { ANYONE, callerOf, mayBe, rolesThatInclude } from './caller.js';

const withRoles = (...roles: unknown[]) => callerOf({ oid: 'o-1', appid: 'app-1', roles });

describe('a caller', () => {
  it('may do what the smaller roles may', () => {
    expect([...withRoles('twinkey.read').roles]).toEqual(['read']);
    expect([...withRoles('twinkey.operate').roles].sort()).toEqual(['operate', 'read']);
    expect([...withRoles('twinkey.admin').roles].sort()).toEqual(['admin', 'operate', 'read']);
  });

  it('of a consumer role may look at nothing', () => {
    expect([...withRoles('twinkey.consumer').roles]).toEqual(['consumer']);
    expect([...withRoles('twinkey.consumer.checkout').roles]).toEqual(['consumer']);
  });

  it('may be the consumers that its roles name, or any', () => {
    const one = withRoles('twinkey.consumer.checkout', 'twinkey.consumer.search');
    expect(['checkout', 'search', 'batch'].map((name) => mayBe(one, name))).toEqual([true, true, false]);
    expect(mayBe(withRoles('twinkey.consumer'), 'batch')).toBe(true);
    expect(mayBe(withRoles('twinkey.admin'), 'batch')).toBe(false);
  });

  it('has no role by a name that only resembles one of ours, or by none', () => {
    for (const roles of [['Twinkey.Read'], ['twinkey.reader'], ['twinkey.consumer.'], [7, null], []]) {
      expect([...withRoles(...roles).roles]).toEqual([]);
    }
    expect([...callerOf({ oid: 'o-1', roles: 'twinkey.admin' }).roles]).toEqual([]);
    expect([...callerOf({ oid: 'o-1' }).roles]).toEqual([]);
  });

  it('is known by a sign-in name, else by the application', () => {
    expect(callerOf({ oid: 'o-1', upn: 'ana@contoso.com', appid: 'cli' })).toMatchObject({
      id: 'o-1',
      name: 'ana@contoso.com',
    });
    expect(callerOf({ oid: 'o-1', azp: 'app-2' }).name).toBe('app-2');
  });
});

describe('the time of a caller', () => {
  it('is over with its token', () => {
    expect(callerOf({ oid: 'o-1', exp: 1_900_000_000 }).until).toBe(1_900_000_000_000);
    expect(ANYONE.until).toBeUndefined();
  });
});

describe('the roles that open a route', () => {
  it('are named for who has none of them', () => {
    expect(rolesThatInclude('operate')).toEqual(['twinkey.operate', 'twinkey.admin']);
    expect(rolesThatInclude('consumer')).toEqual(['twinkey.consumer', 'twinkey.consumer.<name>']);
  });
});
