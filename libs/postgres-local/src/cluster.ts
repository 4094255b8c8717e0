import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.js';
import { processRuns } from './postmaster.js';
import { reachableBy, type ServerUser } from './server-user.js';

/** A folder of PostgreSQL and how to run programs on it. */
export interface Cluster {
  /** PostgreSQL's own folder. */
  readonly data: string;
  /** How the server's user names that folder. */
  readonly dataAsSeen: string;
  readonly password: string;
  readonly log: string;
  readonly user: ServerUser | null;
}

export const superuser = 'postgres';

const run = promisify(execFile);

/**
 * Opens the cluster of `dataDir`, creating it when there is none:
 *
 *     dataDir/cluster/data       PostgreSQL's folder, 0700
 *     dataDir/cluster/password   of the superuser, 0600
 *     dataDir/server.log
 *
 * `cluster` appears whole, by a rename: a creator that dies leaves only its draft, and of two creators one wins.
 */
export async function openCluster(
  dataDir: string,
  binaries: Binaries,
  user: ServerUser | null,
): Promise<Cluster> {
  const home = path.resolve(dataDir);
  await mkdir(home, { recursive: true });
  await sweepDrafts(home);
  const folder = path.join(home, 'cluster');
  if (!(await exists(folder))) await create(home, folder, binaries, user);

  const data = path.join(folder, 'data');
  return {
    data,
    dataAsSeen: await asSeenBy(user, data),
    password: await readFile(path.join(folder, 'password'), 'utf8'),
    log: path.join(home, 'server.log'),
    user,
  };
}

async function create(
  home: string,
  folder: string,
  binaries: Binaries,
  user: ServerUser | null,
): Promise<void> {
  const draft = path.join(home, `draft-${process.pid}-${randomBytes(3).toString('hex')}`);
  const data = path.join(draft, 'data');
  const password = path.join(draft, 'password');
  try {
    await mkdir(draft);
    await chmod(draft, 0o755);
    await mkdir(data, { mode: 0o700 });
    await writeFile(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (user) {
      await chown(data, user.uid, user.gid);
      await chown(password, user.uid, user.gid);
    }
    await initdb(binaries, data, await asSeenBy(user, data), user);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(folder))) throw error; // someone else was faster otherwise
  }
}

async function initdb(
  binaries: Binaries,
  data: string,
  dataAsSeen: string,
  user: ServerUser | null,
): Promise<void> {
  const options = ['-U', superuser, '-A', 'scram-sha-256', '--pwfile=../password'];
  const format = ['-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'];
  try {
    await run(binaries.initdb, ['-D', dataAsSeen, ...options, ...format], runOptions(data, user));
  } catch (cause) {
    throw new Error(
      `PostgreSQL could not create its folder ${data}: ${lastLine(cause)} (The binaries need glibc; on other systems set DATABASE_URL to a PostgreSQL of your own.)`,
      { cause },
    );
  }
}

/** Child processes start inside the data folder; see asSeenBy. */
export function runOptions(data: string, user: ServerUser | null) {
  return { cwd: data, env: { ...process.env, LC_ALL: 'C' }, ...(user ?? {}) };
}

/**
 * PostgreSQL goes to its folder by absolute path, which `nobody` may not be able to walk (/root is 0700). A child
 * is put into its working directory while it is still root, and this name leads there without any walking.
 */
async function asSeenBy(user: ServerUser | null, data: string): Promise<string> {
  if (!user || (await reachableBy(user, data))) return data;
  if (process.platform === 'linux') return '/proc/self/cwd';
  throw new Error(
    `Started as root, PostgreSQL runs as uid ${user.uid}, which cannot reach ${data}. Choose a data folder below one that everyone may enter.`,
  );
}

/** What creators that were killed left behind. */
async function sweepDrafts(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    const pid = /^draft-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !(await processRuns(Number(pid))))
      await rm(path.join(home, name), { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

function lastLine(error: unknown): string {
  const told = typeof error === 'object' && error !== null && 'stderr' in error ? error.stderr : '';
  const text = typeof told === 'string' && told.trim() !== '' ? told : String(error);
  return text.trim().split('\n').at(-1) ?? '';
}
