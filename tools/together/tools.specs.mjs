import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { GROUPS, NOT_HERE, root } from './groups.mjs';
import { loadGroup } from './load.mjs';

describe('the groups', () => {
  it('name every project that has specs once, and each has its file', () => {
    const projects = ['apps', 'examples', 'libs', 'tools'].flatMap((folder) =>
      readdirSync(path.join(root, folder))
        .map((name) => `${folder}/${name}`)
        .filter((project) => existsSync(path.join(root, project, 'jest.config.mjs'))),
    );
    expect(Object.values(GROUPS).flat().sort()).toEqual(
      projects.filter((project) => !NOT_HERE.includes(project)).sort(),
    );
    const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.specs.mjs'));
    expect(files).toEqual(
      Object.keys(GROUPS)
        .map((name) => `${name}.specs.mjs`)
        .sort(),
    );
  });
});

await loadGroup('tools');
