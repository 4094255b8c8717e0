import {
  appendFileSync,
  ftruncateSync,
  mkdtempSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FileTable, type Appending, type Change } from './persist.js';
import { WriteBehind } from './write-behind.js';

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

describe('a disk that takes a part of each write', () => {
  it('gets the rest after it', () => {
    const io: Appending = {
      write: (descriptor, bytes, offset) =>
        writeSync(descriptor, bytes, offset, Math.min(3, bytes.length - offset)),
      truncate: ftruncateSync,
    };
    const table = new FileTable<number>(file, io);
    table.write(['a', 1], ['b', 2]);
    table.close();
    expect(reopened()).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });
});

describe('a disk that is full in the middle of a write', () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  let isFull = false;
  let truncates = true;
  const io: Appending = {
    write: (descriptor, bytes, offset) => {
      if (isFull && offset > 0) throw full;
      return writeSync(descriptor, bytes, offset, isFull ? 4 : bytes.length - offset);
    },
    truncate: (descriptor, length) => {
      if (!truncates) throw full;
      ftruncateSync(descriptor, length);
    },
  };
  beforeEach(() => {
    isFull = false;
    truncates = true;
  });

  it('changes nothing, says why, and leaves no torn line for the next write to follow', () => {
    const table = new FileTable<number>(file, io);
    table.write(['a', 1]);
    isFull = true;
    expect(() => {
      table.write(['a', 2]);
    }).toThrow(/cannot be written \(ENOSPC\); nothing changed/);
    expect(table.get('a')).toBe(1);
    isFull = false;
    table.write(['b', 3]);
    table.close();
    expect(reopened()).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
  });

  it('is cut off before the next write when it could not be at once', () => {
    const table = new FileTable<number>(file, io);
    table.write(['a', 1]);
    isFull = true;
    truncates = false;
    for (const value of [2, 3]) {
      expect(() => {
        table.write(['a', value]);
      }).toThrow(/ENOSPC/);
    }
    isFull = false;
    truncates = true;
    table.write(['b', 4]);
    table.close();
    expect(reopened()).toEqual([
      ['a', 1],
      ['b', 4],
    ]);
  });
});

describe('a table that is read again', () => {
  it('holds what the file holds', () => {
    const table = new FileTable<number>(file);
    table.write(['a', 1]);
    appendFileSync(file, '[["b",2]]\n');
    table.reread();
    table.write(['c', 3]);
    table.close();
    expect(reopened()).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ]);
  });
});

describe('a table of counts', () => {
  const failures: unknown[] = [];
  const counts = (io?: Appending) =>
    new WriteBehind(new FileTable<number>(file, io), (e) => failures.push(e));
  beforeEach(() => {
    failures.length = 0;
  });

  it('answers at once, and writes many changes of a key as one', () => {
    const table = counts();
    for (let n = 1; n <= 1_000; n += 1) table.write(['a', n]);
    expect(table.get('a')).toBe(1_000);
    expect(readFileSync(file, 'utf8')).toBe('');
    table.flush();
    expect(readFileSync(file, 'utf8')).toBe('[["a",1000]]\n');
    table.close();
  });

  it('loses nothing in an orderly end, and reads back what it removed as removed', () => {
    const table = counts();
    table.write(['a', 1], ['b', 2]);
    table.reread();
    table.write(['a', undefined]);
    table.close();
    expect(reopened()).toEqual([['b', 2]]);
  });

  it('keeps what a full disk refused for the next time', () => {
    let isFull = true;
    const table = counts({
      write: (descriptor, bytes, offset) => {
        if (isFull) throw new Error('full');
        return writeSync(descriptor, bytes, offset);
      },
      truncate: ftruncateSync,
    });
    table.write(['a', 1]);
    expect(() => {
      table.flush();
    }).toThrow(/full/);
    isFull = false;
    table.close();
    expect([failures, reopened()]).toEqual([[], [['a', 1]]]);
  });
});
