import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { openApiDocument } from './openapi.js';

const page = new URL('../../../../docs/reference/openapi.json', import.meta.url);

describe('the committed OpenAPI document', () => {
  it('is what the schemas say; UPDATE_REFERENCE=1 node tools/nx.mjs run @twinkey/console:test writes it anew', async () => {
    const document = JSON.stringify(openApiDocument(), null, 2);
    if (process.env['UPDATE_REFERENCE']) await writeFile(page, `${document}\n`);
    const committed: unknown = JSON.parse(await readFile(page, 'utf8'));
    expect(committed).toEqual(JSON.parse(document));
  });

  it('names no schema that it does not have', () => {
    const text = JSON.stringify(openApiDocument());
    const names = new Set(
      [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
    );
    const { components } = JSON.parse(text) as { components: { schemas: Record<string, unknown> } };
    expect([...names].filter((name) => !(name !== undefined && name in components.schemas))).toEqual([]);
    expect(text).not.toContain('$defs');
  });
});
