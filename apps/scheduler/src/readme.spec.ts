import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import yaml from 'yaml';
import { CareFile } from './file-schema.js';

describe('the twinkey.yaml that the README shows', () => {
  it('is one that the scheduler takes', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const [, shown = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
    expect(CareFile.parse(yaml.parse(shown))).toMatchObject({ accounts: [{ policy: 'standard' }] });
  });
});
