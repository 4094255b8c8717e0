// Makes `npm start` and `npm test` the only command on a fresh clone: installs what the lockfile says when
// node_modules differs from it, and does nothing (0.1 s) otherwise. Uses only Node itself.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const lockFolder = `${root}.npm-ci.lock`;
const staleAfterMs = 10 * 60_000;

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `twinkey needs Node 20.19 or newer; this is ${process.version}. Install Node 24 (see .nvmrc) and try again.`,
  );
  process.exit(1);
}

/**
 * Do the installed packages equal the lockfile? Absence is fine where npm may leave a package out: what is optional
 * or a peer, and what stands below another package (npm locks nested copies for peers that it does not install).
 */
function isInstalled() {
  const installedFile = `${root}node_modules/.package-lock.json`;
  if (!existsSync(installedFile)) return false;
  const wanted = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = installed[path];
    if (found === undefined) {
      const nested = path.indexOf('/node_modules/') !== -1;
      return nested || entry.optional === true || entry.devOptional === true || entry.peer === true;
    }
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** One install at a time, even when two commands start together. */
async function lock() {
  for (;;) {
    try {
      mkdirSync(lockFolder);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const age = existsSync(lockFolder) ? Date.now() - statSync(lockFolder).mtimeMs : 0;
    if (age > staleAfterMs) rmSync(lockFolder, { recursive: true, force: true });
    await wait(500);
  }
}

if (!isInstalled()) {
  await lock();
  try {
    if (!isInstalled()) {
      console.log('Installing packages (first start only) ...');
      const npm = process.env.npm_execpath?.endsWith('.js')
        ? [process.execPath, process.env.npm_execpath]
        : ['npm'];
      const [command, ...prefix] = npm;
      const result = spawnSync(command, [...prefix, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
        cwd: root,
        stdio: 'inherit',
        shell: command === 'npm' && process.platform === 'win32',
      });
      process.exitCode = result.status ?? 1;
    }
  } finally {
    rmSync(lockFolder, { recursive: true, force: true });
  }
}
