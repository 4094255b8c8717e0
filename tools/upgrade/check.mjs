// npm run check:upgrade [-- --from REVISION] [-- --to REVISION] [-- --as-it-is] [-- --keep]
//
// Runs two versions of twinkey against each other: both are built, each in a folder of its own, and a rolling update and its
// way back are played through while keys are rotated (apps/e2e/src/upgrade). Some minutes; the last line is JSON.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  addWhatNobodyKnows,
  buildIn,
  commitOf,
  migrationsBeyond,
  previousVersion,
  root,
} from './checkout.mjs';

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    to: { type: 'string' },
    'as-it-is': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const from = values.from ?? previousVersion();
const names = { from: commitOf(from), to: values.to === undefined ? 'here' : commitOf(values.to) };

const folder = mkdtempSync(join(tmpdir(), 'twinkey-upgrade-'));
const [old, next] = [join(folder, 'from'), join(folder, 'to')];
try {
  console.log(
    `Building ${from} (${names.from}) and ${values.to ?? 'the files as they are here'} in ${folder} ...`,
  );
  buildIn(old, from);
  buildIn(next, values.to);
  const added = migrationsBeyond(next, old);
  console.log(
    added.length === 0 ? 'No migration was added.' : `Migrations that were added: ${added.join(', ')}`,
  );
  // Neighbours that hardly differ would show little: unless told otherwise, the newer one is made to say more.
  if (!values['as-it-is']) addWhatNobodyKnows(next);
  const jest = [
    '--experimental-vm-modules',
    '--no-warnings=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  const build = spawnSync(process.execPath, ['tools/build.mjs'], { cwd: root, stdio: 'inherit' });
  if (build.status !== 0) throw new Error('what plays the update through could not be built');
  const { status } = spawnSync(process.execPath, [...jest, '--config', 'apps/e2e/jest-upgrade.config.mjs'], {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      UPGRADE_FROM: old,
      UPGRADE_TO: next,
      UPGRADE_NAMES: JSON.stringify({ ...names, migrations: added.length }),
    },
  });
  process.exitCode = status ?? 1;
} finally {
  if (values.keep) console.log(`Kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
}
