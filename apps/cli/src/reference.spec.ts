import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { createProgram } from './program.js';
import { referencePage } from './reference.js';

const page = new URL('../../../docs/reference/cli.md', import.meta.url);

/** Without the room that a formatter gives to tables. */
const plain = (text: string) => text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');

describe('the reference page of the command line', () => {
  it('is what the commands say; UPDATE_REFERENCE=1 node tools/nx.mjs run @twinkey/cli:test writes it anew', async () => {
    const wanted = referencePage(createProgram());
    if (process.env['UPDATE_REFERENCE']) await writeFile(page, wanted);
    expect(plain(await readFile(page, 'utf8'))).toBe(plain(wanted));
  });
});
