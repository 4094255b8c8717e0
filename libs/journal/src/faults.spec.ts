import { describe, expect, it } from '@jest/globals';
import { isPermanentFault, isTransientFault } from '@twinkey/contracts';
import { toFault } from './faults.js';
import { openDatabase } from './index.js';

const failure = (code: string, message = 'told by the server') => Object.assign(new Error(message), { code });

describe('an error of the database', () => {
  it.each([
    ['ECONNREFUSED', 'database-unreachable'],
    ['ECONNRESET', 'database-connection-lost'],
    ['EPIPE', 'database-connection-lost'],
    ['57P01', 'database-connection-lost'],
    ['57P03', 'database-unreachable'],
    ['08006', 'database-connection-lost'],
    ['53300', 'database-busy'],
    ['40001', 'serialization-conflict'],
    ['40P01', 'deadlock'],
    ['25006', 'database-read-only'],
  ])('%s is worth another try as %s', (code, name) => {
    const fault = toFault(failure(code), 'db:5432');
    expect(isTransientFault(fault) && fault.code).toBe(name);
  });

  it.each([
    ['28P01', 'database-login-refused'],
    ['3D000', 'database-missing'],
    ['42501', 'database-permission-missing'],
  ])('%s needs a person as %s', (code, name) => {
    const fault = toFault(failure(code), 'db:5432');
    expect(isPermanentFault(fault) && fault.code).toBe(name);
  });

  it('is known by its message where the driver gives no code', () => {
    const lost = toFault(new Error('Connection terminated unexpectedly'), 'db:5432');
    expect(lost).toMatchObject({
      code: 'database-connection-lost',
      message: 'PostgreSQL at db:5432 closed the connection (Connection terminated unexpectedly).',
    });
  });

  it('stays what it is when it is about the statement', () => {
    const duplicate = failure('23505');
    expect(toFault(duplicate, 'db:5432')).toBe(duplicate);
  });

  it('keeps its cause', () => {
    const cause = failure('40001');
    expect(toFault(cause, 'db:5432')).toMatchObject({ cause });
  });
});

describe('settings that cannot work', () => {
  const settings = { url: 'postgres://u:hush@h/db', schema: 'rotator', applicationName: 'spec' };

  it('are refused without repeating the password', async () => {
    const wrong = openDatabase({ ...settings, url: 'postgres//u:hush@h:port' });
    await expect(wrong).rejects.toMatchObject({ code: 'database-url-invalid' });
    await expect(wrong).rejects.not.toThrow(/hush/);
  });

  it('include a schema that would need quotes', async () => {
    const wrong = openDatabase({ ...settings, schema: 'Rotator; drop' });
    await expect(wrong).rejects.toMatchObject({ code: 'database-schema-invalid' });
  });
});
