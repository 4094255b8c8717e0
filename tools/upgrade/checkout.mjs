// A checkout of its own for each version: what runs from one of them loads nothing of the other.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The newest tag; where there is none, what stood here some time ago. */
export function previousVersion() {
  const [newest = ''] = git('tag', '--sort=-version:refname').split('\n');
  return newest === '' ? 'HEAD~20' : newest;
}

/** The short name of a revision. Throws where there is none. */
export function commitOf(revision) {
  return git('rev-parse', '--short', '--verify', `${revision}^{commit}`);
}

/**
 * A revision, or the files as they are here (undefined), built in `folder`. Packages of others are linked, those of this
 * repository are the folder's own. Nothing is noted in .git: a check that is killed leaves a folder, and no worktree.
 */
export function buildIn(folder, revision) {
  mkdirSync(folder, { recursive: true });
  if (revision === undefined) copySources(folder);
  else extract(revision, folder);
  linkPackages(folder);
  run(process.execPath, [join(folder, 'tools/build.mjs')], { cwd: folder });
}

/**
 * Makes a version that differs from every other one in what a neighbour may differ in: each table has a column more, and
 * each message and state a field more, of which nobody knows. It does so by migrations that only add.
 */
export function addWhatNobodyKnows(folder) {
  const text = readFileSync(new URL('./what-nobody-knows.sql', import.meta.url), 'utf8');
  for (const service of ['scheduler', 'rotator', 'notifier', 'console'])
    writeFileSync(join(folder, 'apps', service, 'migrations/9999-what-nobody-knows.sql'), text);
}

/** How many migrations the one has that the other has not. */
export function migrationsBeyond(folder, other) {
  const names = (where) =>
    [
      'libs/journal',
      ...['scheduler', 'rotator', 'notifier', 'console'].map((name) => `apps/${name}`),
    ].flatMap((project) =>
      readdirSync(join(where, project, 'migrations')).map((name) => `${project}/${name}`),
    );
  const known = new Set(names(other));
  return names(folder).filter((name) => !known.has(name));
}

function extract(revision, folder) {
  const archive = spawnSync('git', ['archive', '--format=tar', revision], {
    cwd: root,
    maxBuffer: 1 << 29,
  });
  if (archive.status !== 0) throw new Error(`git archive ${revision}: ${archive.stderr.toString()}`);
  run('tar', ['-x', '-C', folder], { input: archive.stdout });
}

const NOT_SOURCES = /(^|\/)(node_modules|dist|bundle|out-tsc|coverage|\.git|\.nx)$/;

function copySources(folder) {
  cpSync(root, folder, {
    recursive: true,
    filter: (from) => !NOT_SOURCES.test(from) && !from.endsWith('.tsbuildinfo'),
  });
}

function linkPackages(folder) {
  const installed = join(root, 'node_modules');
  const own = join(folder, 'node_modules');
  mkdirSync(join(own, '@twinkey'), { recursive: true });
  for (const name of readdirSync(installed))
    if (name !== '@twinkey' && name !== '.cache') symlinkSync(join(installed, name), join(own, name));
  for (const group of ['apps', 'libs', 'examples', 'tools']) {
    for (const name of readdirSync(join(folder, group))) {
      const project = join(group, name);
      const manifest = join(folder, project, 'package.json');
      if (!existsSync(manifest)) continue;
      const { name: packageName = '' } = JSON.parse(readFileSync(manifest, 'utf8'));
      if (packageName.startsWith('@twinkey/')) symlinkSync(join(folder, project), join(own, packageName));
      const nested = join(root, project, 'node_modules');
      if (existsSync(nested)) symlinkSync(nested, join(folder, project, 'node_modules'));
    }
  }
}

function git(...words) {
  const { status, stdout, stderr } = spawnSync('git', words, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`git ${words.join(' ')}: ${stderr.trim()}`);
  return stdout.trim();
}

function run(command, words, options) {
  const { status, stderr, error } = spawnSync(command, words, {
    stdio: ['pipe', 'inherit', 'pipe'],
    ...options,
  });
  if (status !== 0)
    throw new Error(`${command} ${words.join(' ')} failed: ${error?.message ?? stderr.toString()}`);
}
