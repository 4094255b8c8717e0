// All spec files of a group as one: what they import is loaded once and not once per file, which took a third of the
// processor time of `npm test`. `nx test <project>` still gives every file a module registry of its own.
import path from 'node:path';
import { jest } from '@jest/globals';
import { GROUPS, root, specsIn } from './groups.mjs';

/** Long enough for the longest of them on a busy machine: in one run one limit holds for all. */
const LIMIT_MS = 600_000;

/** Declares the tests of a group, each file as a block of its own. */
export async function loadGroup(name) {
  for (const project of GROUPS[name]) {
    for (const file of specsIn(project))
      await globalThis.describeFile(path.relative(root, file), () => import(file));
  }
  jest.setTimeout(LIMIT_MS);
}
