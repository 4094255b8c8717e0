// The reference pages say what the sources say. Refresh the generated ones with `node tools/docs/generate.mjs`
// after a build; `errors.md` is written by hand.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { runNode } from './run-node.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const script = (name: string) => join(root, 'tools/docs', name);
const folder = mkdtempSync(join(tmpdir(), 'twinkey-pages-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the generated pages (configuration, messages, .env.example)', () => {
  it('are what would be generated now', async () => {
    expect(await runNode([script('generate.mjs'), '--check'])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the page of errors', () => {
  it('has a sentence and a remedy for every code of the sources, and for no other', async () => {
    expect(await runNode([script('check-errors.mjs')])).toMatchObject({ code: 0, stderr: '' });
  });

  it.each(['consumer-silent', 'late-outcome', 'bus-unreachable', 'UnreadableMessage', 'stale-boot', '7'])(
    'would be noticed without a row for %s',
    async (code) => {
      const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8');
      const without = page.split('\n').filter((line) => !line.startsWith(`| \`${code}\``));
      const file = join(folder, `without-${code}.md`);
      writeFileSync(file, without.join('\n'));
      const { code: exit, stderr } = await runNode([script('check-errors.mjs'), file]);
      expect({ exit, stderr }).toEqual({ exit: 1, stderr: expect.stringContaining(`${code} is missing`) });
    },
  );
});
