// Links between the pages of the repository, and from them to its files, lead somewhere.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const BUILT = new Set(['node_modules', 'dist', 'out-tsc', 'bundle']);

function* pagesIn(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.') && !BUILT.has(entry.name)) yield* pagesIn(path);
    else if (entry.isFile() && entry.name.endsWith('.md')) yield path;
  }
}

const texts = new Map([...pagesIn(root)].map((path) => [path, readFileSync(path, 'utf8')]));

/** What stands in code is no link. */
const proseOf = (text: string) => text.replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '');

/** The names that headings are reached by, as the places that show such pages make them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.replaceAll(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function brokenIn(page: string, text: string): string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/i.test(link)) return [];
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    const isThere = existsSync(target);
    const anchors = anchor === undefined ? undefined : texts.get(target);
    const leads = isThere && (anchors === undefined || anchorsOf(anchors).has(anchor ?? ''));
    return leads ? [] : [`${relative(root, page)}: ${link}`];
  });
}

describe('the links of the pages', () => {
  it('lead to files and headings that are there', () => {
    expect(texts.size).toBeGreaterThan(50);
    expect([...texts].flatMap(([page, text]) => brokenIn(page, text))).toEqual([]);
  });

  it('would be found out: a file that is gone, and a heading that is called otherwise', () => {
    const page = join(root, 'README.md');
    const text =
      '[a](docs/gone.md) [b](CONTRIBUTING.md#no-such-heading) [c](#in-an-application) `[d](gone.md)`';
    expect(brokenIn(page, text)).toEqual([
      'README.md: docs/gone.md',
      'README.md: CONTRIBUTING.md#no-such-heading',
    ]);
  });
});
