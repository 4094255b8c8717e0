// The table of rules in ARCHITECTURE.md says where each rule is kept and what misses it. It must not rot.
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MUTANTS, SECOND_WALLS } from './mutants.js';

const root = join(import.meta.dirname, '../../..');
const rows = [
  ...readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').matchAll(
    /^\| (?<rule>[^|]+?) +\| `(?<name>[^`]+)` in `(?<file>[^`]+)` +\| (?<missedBy>[^|]+?) +\|$/gm,
  ),
].map(({ groups = {} }) => ({ rule: '', name: '', file: '', missedBy: '', ...groups }));

const tried = new Set<string>([
  ...MUTANTS.flatMap(({ off }) => off),
  ...SECOND_WALLS.map(({ rule }) => rule),
]);

describe('the table of rules', () => {
  it('has a row for each of at least thirty', () => {
    expect(rows.length).toBeGreaterThanOrEqual(30);
  });

  it.each(rows)('names a place that exists: $rule ($name)', ({ name, file }) => {
    const declared = new RegExp(
      `^ *(export )?((async )?function|const|readonly|static|async|private)? *${name}\\b *[(<:=]`,
      'm',
    );
    expect(readFileSync(join(root, file), 'utf8')).toMatch(declared);
  });

  it.each(rows)('names what fails without it: $rule', ({ missedBy }) => {
    const names = [...missedBy.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    expect(names).not.toEqual([]);
    for (const name of names) {
      if (name.endsWith('.spec.ts'))
        expect(readFileSync(join(root, name), 'utf8')).toMatch(/\bit(\.each)?\(/);
      else expect(tried).toContain(name);
    }
  });

  it('says of every rule that the model can switch off where it is kept', () => {
    const told = new Set(rows.flatMap(({ missedBy }) => missedBy.match(/\w+/g) ?? []));
    expect(MUTANTS.flatMap(({ off }) => off).filter((rule) => !told.has(rule))).toEqual([]);
  });
});
