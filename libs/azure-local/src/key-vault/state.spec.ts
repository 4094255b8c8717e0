import { describe, expect, it } from '@jest/globals';
import { inMemory, type Table } from '../host/persist.js';
import { Vault, type SecretVersion, type VaultRecord } from './state.js';

const seconds = 1_700_000_000;

function vaultOver(table: Table<VaultRecord> = inMemory()) {
  let next = 0;
  return new Vault(
    table,
    () => seconds * 1000 + 400,
    () => (++next).toString(16).padStart(32, '0'),
  );
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
