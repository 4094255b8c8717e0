import { describe, expect, it } from '@jest/globals';
import { nameOf } from './prepared.js';

describe('a statement that a connection keeps', () => {
  it('has one name for one text, short enough for PostgreSQL', () => {
    const name = nameOf('select account from stream where name = $1');
    expect(name).toBe(nameOf('select account from stream where name = $1'));
    expect(name).not.toBe(nameOf('select account from stream where name = $2'));
    expect(name?.length).toBeLessThan(64);
  });

  it.each([
    'select * from account where account = $1',
    'select a.* from account a where account = $1',
    'select 1, * from account where account = $1',
    'update account set look_at = $1 returning *',
  ])('names its columns, or a column that a newer version adds would break it: %s', (text) => {
    expect(nameOf(text)).toBeNull();
  });

  it.each(['select count(*) from nudge where account = $1', 'select 1000 * $1::int as ms'])(
    'may count and multiply: %s',
    (text) => {
      expect(nameOf(text)).not.toBeNull();
    },
  );
});
