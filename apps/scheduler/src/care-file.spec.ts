import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isPermanentFault } from '@twinkey/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CareFile } from './care-file.js';

const good = 'version: 1\npolicies: { standard: { interval: P30D } }\n';
let folder: string;
let name: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'twinkey-file-'));
  name = path.join(folder, 'twinkey.yaml');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function faultOf(act: () => unknown): { code: string; message: string; remedy: string | undefined } {
  try {
    act();
  } catch (error) {
    if (isPermanentFault(error)) return error;
    throw error;
  }
  throw new Error('no fault');
}

describe('the file with accounts and policies', () => {
  it('that is not there is a fault that says where it was looked for and how to name another', () => {
    const { code, message, remedy } = faultOf(() => new CareFile(path.join(folder, 'none.yaml'), {}).read());
    expect(code).toBe('file-missing');
    expect(message).toContain(path.join(folder, 'none.yaml'));
    expect(remedy).toContain('TWINKEY_FILE');
  });

  it('that has faults names them all', () => {
    writeFileSync(name, 'version: 2\npolicies: { standard: { interval: 30 } }\n');
    const { code, message } = faultOf(() => new CareFile(name, {}).read());
    expect(code).toBe('file-invalid');
    expect(message.split('\n')).toEqual([
      `${name} cannot be used:`,
      '  line 1: version: must be 1; write that.',
      '  line 2: policies.standard.interval: must be text; correct it.',
    ]);
  });

  it('notices when it is replaced, until it is read again', () => {
    writeFileSync(name, good);
    const file = new CareFile(name, {});
    file.read();
    expect(file.changed()).toBe(false);
    writeFileSync(`${name}.new`, `${good}accounts:\n`);
    renameSync(`${name}.new`, name);
    expect(file.changed()).toBe(true);
    file.read();
    expect(file.changed()).toBe(false);
  });
});
