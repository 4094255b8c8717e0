import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockFolder } from './folder-lock.js';

let folder = '';
let file = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
  file = join(folder, 'journal.lock');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const NOBODY = 2 ** 22 + 1;

describe('the lock of a data folder', () => {
  it('keeps a second one out until it is released', () => {
    const release = lockFolder(folder);
    expect(() => lockFolder(folder)).toThrow('in use by process');
    release();
    expect(existsSync(file)).toBe(false);
    lockFolder(folder)();
  });

  it('is leftover when its process is gone, and when another process has got its id', () => {
    for (const text of [
      String(NOBODY),
      `${NOBODY} 1`,
      `${process.ppid} 1`,
      `${process.pid} 1`,
      `${process.pid}`,
    ]) {
      writeFileSync(file, text);
      const release = lockFolder(folder);
      expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${process.pid}\\b`));
      release();
    }
  });

  it('is kept by another process that lives', () => {
    writeFileSync(file, String(process.ppid));
    expect(() => lockFolder(folder)).toThrow(`in use by process ${process.ppid}`);
    expect(readFileSync(file, 'utf8')).toBe(String(process.ppid));
  });

  it('is being written while it is empty, and leftover when it stays so', () => {
    writeFileSync(file, '');
    expect(() => lockFolder(folder)).toThrow('in use');
    utimesSync(file, 1, 1);
    lockFolder(folder)();
  });

  it('that was taken over by somebody else is not removed', () => {
    const release = lockFolder(folder);
    writeFileSync(file, `${process.ppid} 1`);
    release();
    expect(existsSync(file)).toBe(true);
  });
});
