import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import yaml from 'yaml';
import { CareFile } from './file-schema.js';
import { readCareList } from './read-care-list.js';

describe('the twinkey.yaml that the README shows', () => {
  it('is one that the scheduler takes', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    expect(CareFile.parse(yaml.parse(shown))).toMatchObject({ accounts: [{ policy: 'standard' }] });
  });
});

describe('the consumers that the page about them shows', () => {
  it('are ones that the scheduler takes', () => {
    const page = readFileSync(new URL('../../../docs/how-to/declare-consumers.md', import.meta.url), 'utf8');
    const shown = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    const read = shown.map((text) =>
      readCareList(`version: 1\npolicies: { standard: { interval: P30D } }\n${text}`, {}),
    );
    expect(read.flatMap((one) => (one.ok ? [] : one.faults))).toEqual([]);
    const declared = read.flatMap((one) => (one.ok ? one.list.consumers : []));
    expect(declared.map(({ terms }) => terms.consumer)).toEqual([
      'support-desk',
      'billing',
      'partner-portal',
    ]);
  });
});
