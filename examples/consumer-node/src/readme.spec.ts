import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const root = '../../..';

describe('the lines that the README shows for an application', () => {
  it('are the ones that are compiled here', () => {
    const [, shown] = /```ts\n([\s\S]*?)```/.exec(read(`${root}/README.md`)) ?? [];
    const [, compiled] = /#region five-lines\n([\s\S]*?)\/\/ #endregion/.exec(read('./five-lines.ts')) ?? [];
    expect(shown).toBe(compiled);
  });
});

const sample = read(`${root}/libs/contracts/samples/key.changed.v1.json`);

describe('the page for other languages', () => {
  it('shows the message as the golden sample of the contract has it', () => {
    const page = read(`${root}/docs/how-to/subscribe-from-other-languages.md`);
    const shown = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(
      ([, text = '']) => JSON.parse(text) as unknown,
    );
    expect(shown).toEqual([JSON.parse(sample)]);
  });
});

const here = fileURLToPath(new URL(`${root}/examples/subscribe-python/`, import.meta.url));
const python = (...args: string[]) =>
  spawnSync('python3', ['-B', ...args], { cwd: here, encoding: 'utf8', timeout: 60_000 });
const hasPython = python('-c', 'import sys; sys.exit(sys.version_info < (3, 10))').status === 0;

(hasPython ? describe : describe.skip)(
  'the program in Python (skipped without a python3 of 3.10 or newer)',
  () => {
    it('keeps what its own tests promise, which read the same golden sample', () => {
      const { status, stderr } = python('-m', 'unittest');
      expect(stderr).toMatch(/^Ran \d{2} tests in /m);
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    });
  },
);
