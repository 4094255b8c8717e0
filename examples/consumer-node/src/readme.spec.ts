import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

describe('the lines that the README shows for an application', () => {
  it('are the ones that are compiled here', () => {
    const [, shown] = /```ts\n([\s\S]*?)```/.exec(read('../../../README.md')) ?? [];
    const [, compiled] = /#region five-lines\n([\s\S]*?)\/\/ #endregion/.exec(read('./five-lines.ts')) ?? [];
    expect(shown).toBe(compiled);
  });
});
