import { appendFileSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FileTable, type Change } from './persist.js';

let file: string;
beforeEach(() => {
  file = join(mkdtempSync(join(tmpdir(), 'table-')), 'table.jsonl');
});

function written(...writes: Change<number>[][]): void {
  const table = new FileTable<number>(file);
  for (const changes of writes) table.write(...changes);
  table.close();
}

const reopened = () => {
  const table = new FileTable<number>(file);
  const entries = [...table.entries()];
  table.close();
  return entries;
};

describe('a table that is opened again', () => {
  it('holds what was written last, without what was removed', () => {
    written(
      [['a', 1]],
      [
        ['b', 2],
        ['c', 3],
      ],
      [
        ['a', 4],
        ['b', undefined],
      ],
    );
    expect(reopened()).toEqual([
      ['a', 4],
      ['c', 3],
    ]);
  });

  it('is readable by its owner only', () => {
    written([['a', 1]]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('a table whose process died while it wrote', () => {
  it('lost the write that never returned, whole, and nothing else', () => {
    written([['a', 1]]);
    appendFileSync(file, '[["a",2],["b"');
    expect(reopened()).toEqual([['a', 1]]);
    written([['c', 3]]);
    expect(reopened()).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
  });
});

describe('a table that was damaged in the middle', () => {
  it('says which file and line, and what to do', () => {
    writeFileSync(file, '[["a",1]]\nnonsense\n[["b",2]]\n');
    expect(() => new FileTable(file)).toThrow(/table\.jsonl, line 2: .*delete the data folder/);
  });
});

describe('a table with one record that changes all the time', () => {
  it('does not grow without end', () => {
    const table = new FileTable<string>(file);
    const filler = 'x'.repeat(100_000);
    for (let n = 0; n < 100; n += 1) table.write(['a', `${filler}${n}`]);
    table.close();
    expect(statSync(file).size).toBeLessThan(5_000_000);
    expect(new FileTable<string>(file).get('a')).toBe(`${filler}99`);
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(2);
  });
});
