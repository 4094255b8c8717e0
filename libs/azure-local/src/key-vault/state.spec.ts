import { describe, expect, it } from '@jest/globals';
import { inMemory, type Table } from '../host/persist.js';
import { Vault, type SecretVersion, type VaultRecord } from './state.js';

const seconds = 1_700_000_000;

function vaultOver(
  table: Table<VaultRecord> = inMemory(),
  clock: () => number = () => seconds * 1000 + 400,
  retentionDays?: number,
) {
  let next = 0;
  return new Vault(table, clock, () => (++next).toString(16).padStart(32, '0'), retentionDays);
}

const version = (outcome: SecretVersion | string): SecretVersion => {
  if (typeof outcome === 'string') throw new Error(outcome);
  return outcome;
};

describe('a secret that was set twice', () => {
  it('shows the newer value as its current version and keeps the older', () => {
    const vault = vaultOver();
    const older = version(vault.set('Key', 'one', { tags: { n: '1' } }));
    vault.set('key', 'two', {});
    expect(version(vault.get('KEY')).value).toBe('two');
    expect(version(vault.get('key', older.id))).toMatchObject({
      value: 'one',
      tags: { n: '1' },
      created: seconds,
    });
    expect(vault.list().map(([name]) => name)).toEqual(['Key']);
  });

  it('is spelled as it was first, however it is asked for', () => {
    const vault = vaultOver();
    vault.set('Key', 'one', {});
    expect([vault.spelling('kEY'), vault.spelling('Other')]).toEqual(['Key', 'Other']);
  });

  it('shows the older one to a stale read', () => {
    const vault = vaultOver();
    vault.set('key', 'one', {});
    expect(vault.get('key', undefined, true)).toBe('not-found');
    vault.set('key', 'two', {});
    expect(version(vault.get('key', undefined, true)).value).toBe('one');
  });
});

describe('a disabled version', () => {
  it('is not given out, but can be described and enabled again', () => {
    const vault = vaultOver();
    const { id } = version(vault.set('key', 'one', {}));
    vault.update('key', id, { enabled: false, tags: { state: 'superseded' } });
    expect(vault.get('key')).toBe('disabled');
    expect(version(vault.find('key', id))).toMatchObject({ enabled: false, tags: { state: 'superseded' } });
    vault.update('key', id, { enabled: true });
    expect(version(vault.get('key')).value).toBe('one');
  });
});

describe('a stale read', () => {
  it('does not know a version that was just written, nor that the one before was disabled', () => {
    const vault = vaultOver();
    const older = version(vault.set('key', 'one', {}));
    const newer = version(vault.set('key', 'two', {}));
    expect(vault.get('key', newer.id, true)).toBe('not-found');
    expect(vault.versions('key', true)).toHaveLength(1);
    vault.update('key', older.id, { enabled: false });
    expect(vault.get('key', older.id)).toBe('disabled');
    expect(version(vault.get('key', older.id, true)).value).toBe('one');
    expect(version(vault.get('key', undefined, true)).value).toBe('two');
  });

  it('still sees a deleted secret, and not yet a recovered one', () => {
    const vault = vaultOver();
    vault.set('key', 'one', {});
    vault.delete('key');
    expect(version(vault.get('key', undefined, true)).value).toBe('one');
    expect(vault.deleted('key', true)).toBe('not-found');
    expect(vault.listDeleted(true)).toEqual([]);
    expect(vault.list(true).map(([name]) => name)).toEqual(['key']);
    vault.recover('key');
    expect(vault.get('key', undefined, true)).toBe('not-found');
    expect(vault.listDeleted(true).map(([name]) => name)).toEqual(['key']);
  });

  it('lists all but the last change of the vault', () => {
    const vault = vaultOver();
    for (const name of ['a', 'b', 'c']) vault.set(name, 'one', {});
    expect(vault.list(true).map(([name]) => name)).toEqual(['a', 'b']);
    expect(vault.list().map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });
});

describe('a copy of a secret', () => {
  it('brings all versions back with their ids and times, once the name is free', () => {
    const vault = vaultOver();
    vault.set('Key', 'one', { tags: { n: '1' } });
    vault.set('key', 'two', {});
    const copy = vault.copy('key');
    if (copy === 'not-found') throw new Error(copy);
    const before = vault.versions('key');
    expect(vault.restore(copy)).toBe('exists');
    vault.delete('key');
    expect(vault.restore(copy)).toBe('deleted');
    vault.purge('key');
    expect(vault.restore(copy)).toMatchObject({ value: 'two' });
    expect(vault.versions('key')).toEqual(before);
    expect(vault.spelling('key')).toBe('Key');
  });
});

describe('a deleted secret that nobody recovers', () => {
  it('is purged when its day comes, also from the table', () => {
    let now = seconds * 1000;
    const table = inMemory<VaultRecord>();
    const vault = vaultOver(table, () => now, 7);
    vault.set('key', 'one', {});
    vault.delete('key');
    now += 7 * 24 * 3600 * 1000 - 1000;
    expect(vault.listDeleted()).toHaveLength(1);
    now += 1000;
    expect(vault.listDeleted()).toEqual([]);
    expect(vault.recover('key')).toBe('not-found');
    expect([...table.entries()]).toEqual([]);
    expect(version(vault.set('key', 'new', {})).value).toBe('new');
    expect(vault.versions('key')).toHaveLength(1);
  });

  it('is kept for 7 to 90 days, as the vault says', () => {
    expect(() => vaultOver(inMemory(), undefined, 6)).toThrow('retentionDays: 6 is none; use 7 to 90.');
  });
});

describe('a deleted secret', () => {
  it('is hidden, keeps its name from being used, and comes back whole', () => {
    const vault = vaultOver();
    vault.set('key', 'one', {});
    vault.set('key', 'two', {});
    vault.delete('key');
    expect(vault.get('key')).toBe('not-found');
    expect(vault.set('key', 'three', {})).toBe('deleted');
    expect(vault.deleted('key')).toMatchObject({ at: seconds, purgeAt: seconds + 90 * 24 * 3600 });
    vault.recover('key');
    expect(version(vault.get('key')).value).toBe('two');
    expect(vault.versions('key')).toHaveLength(2);
  });

  it('leaves nothing behind once purged', () => {
    const table = inMemory<VaultRecord>();
    const vault = vaultOver(table);
    vault.set('key', 'one', {});
    expect(vault.purge('key')).toBe('not-found');
    vault.delete('key');
    expect(vault.purge('key')).toBe('purged');
    expect([...table.entries()]).toEqual([]);
    expect(version(vault.set('key', 'new', {})).value).toBe('new');
  });
});

describe('a vault opened over what another one wrote', () => {
  it('answers as that one did', () => {
    const table = inMemory<VaultRecord>();
    const before = vaultOver(table);
    before.set('kept', 'one', {});
    before.set('kept', 'two', { expires: seconds + 5 });
    before.set('gone', 'x', {});
    before.delete('gone');
    const after = vaultOver(table);
    expect(after.get('kept')).toEqual(before.get('kept'));
    expect(after.versions('kept')).toEqual(before.versions('kept'));
    expect(after.listDeleted()).toEqual(before.listDeleted());
  });
});
