import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { findBinaries, type Binaries } from './binaries.js';
import { openCluster, runOptions, superuser, type Cluster } from './cluster.js';
import { isPostgres, pidFile, processRuns, readPostmaster } from './postmaster.js';
import { chooseServerUser } from './server-user.js';
import { stopServer } from './stop.js';

export interface PostgresOptions {
  /** Created when missing. One server at a time uses it, however many processes ask for one. */
  readonly dataDir: string;
  /** A free one unless given. A server that is found running keeps the port it has. */
  readonly port?: number;
  /** false: forgets what it was told when the machine (not the process) crashes, and is faster. For tests. */
  readonly durable?: boolean;
  readonly log?: (line: string) => void;
}

export interface LocalPostgres {
  /** Of the database `postgres`, as superuser. It holds the password: never log it. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The server was running already: another process started it, or one that is gone left it behind. */
  readonly adopted: boolean;
  /** Ends all connections and stops the server, adopted or not. */
  stop(): Promise<void>;
}

interface Running {
  readonly pid: number;
  readonly port: number;
}

const startWithinMs = 30_000; // recovery after a crash included
const pollMs = 10;
const attempts = 5;
const keepLogBytes = 1_000_000;

/**
 * Starts PostgreSQL on 127.0.0.1 (one for tests also on a unix socket in its folder), or adopts the one that runs in `dataDir` already.
 *
 * The server is a process group of its own: Ctrl-C reaches it through `stop()` only, after those who use it. It also
 * outlives a parent that is killed; the next start adopts it.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const { log = () => undefined } = options;
  const user = chooseServerUser();
  const binaries = await findBinaries(user);
  const cluster = await openCluster(options.dataDir, binaries, user);

  const answer = (running: Running, adopted: boolean): LocalPostgres => ({
    url: urlOf(cluster, running.port),
    ...running,
    adopted,
    stop: () => stopServer(binaries, cluster, running.pid),
  });

  for (let attempt = 1; ; attempt++) {
    const found = await findRunning(cluster);
    if (found) {
      log(`PostgreSQL runs already on port ${found.port} (process ${found.pid})`);
      return answer(found, true);
    }
    const port = options.port ?? (await freePort());
    const logStart = await rotateLog(cluster.log);
    const started = await launch(binaries, cluster, port, options.durable ?? true);
    if (started) {
      log(`PostgreSQL answers on port ${port} (process ${started.pid})`);
      return answer(started, false);
    }
    // Someone else may have started it in the same moment, or taken the port that was free when we looked.
    const why = await fatalLines(cluster.log, logStart);
    if (/lock file "postmaster.pid" already exists/.test(why) && attempt < attempts) continue;
    if (/Address already in use/i.test(why)) {
      if (options.port === undefined && attempt < attempts) continue;
      throw new Error(
        `PostgreSQL cannot listen on port ${port}: another program does. Stop it or choose another port.`,
      );
    }
    throw new Error(
      `PostgreSQL did not start: ${why || 'it ended without a word'}. Its log is ${cluster.log}; with DATABASE_URL set, none is started.`,
    );
  }
}

/** Waits out a start or a stop that is under way. */
async function findRunning(cluster: Cluster): Promise<Running | null> {
  const deadline = Date.now() + startWithinMs;
  let refusal: unknown;
  do {
    const postmaster = await readPostmaster(cluster.data);
    if (!postmaster || !(await processRuns(postmaster.pid))) return null;
    if (!(await isPostgres(postmaster.pid))) {
      await rm(pidFile(cluster.data), { force: true }); // PostgreSQL itself would take that process for a server
      return null;
    }
    if (postmaster.status === 'ready') {
      refusal = await refusalOf(cluster, postmaster.port);
      if (refusal === undefined) return postmaster;
    }
    await delay(pollMs);
  } while (Date.now() < deadline);
  throw new Error(
    `A PostgreSQL that does not answer us holds ${cluster.data}. End the process named in the first line of its postmaster.pid, then start again.`,
    { cause: refusal },
  );
}

/** undefined: it answers, and to our password, so it is ours. */
async function refusalOf(cluster: Cluster, port: number): Promise<unknown> {
  const client = new Client({
    connectionString: urlOf(cluster, port),
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => undefined); // it may stop while we say goodbye
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return error;
  } finally {
    await client.end().catch(() => undefined); // nothing was asked of it
  }
}

async function launch(
  binaries: Binaries,
  cluster: Cluster,
  port: number,
  durable: boolean,
): Promise<Running | null> {
  const settings = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${durable ? '' : socketFolder(cluster)}`,
    'max_connections=200',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ];
  // A file and not a pipe: the server goes on writing when we are gone.
  const log = await open(cluster.log, 'a', 0o600);
  const server = spawn(
    binaries.postgres,
    ['-D', cluster.dataAsSeen, '-p', String(port), ...settings.flatMap((s) => ['-c', s])],
    { ...runOptions(cluster.data, cluster.user), detached: true, stdio: ['ignore', log.fd, log.fd] },
  );
  const ended = new AbortController();
  server.once('exit', () => {
    ended.abort();
  });
  server.once('error', () => {
    ended.abort();
  });
  server.unref();
  await log.close();

  const deadline = Date.now() + startWithinMs;
  while (!ended.signal.aborted && Date.now() < deadline) {
    const postmaster = await readPostmaster(cluster.data);
    if (postmaster && postmaster.pid === server.pid && postmaster.status === 'ready')
      if ((await refusalOf(cluster, postmaster.port)) === undefined) return postmaster;
    await delay(pollMs);
  }
  if (!ended.signal.aborted) server.kill('SIGQUIT');
  return null;
}

/** A socket takes half the processor time of TCP; its path must fit into 107 bytes. */
function socketFolder({ dataAsSeen }: Cluster): string {
  return process.platform !== 'win32' && Buffer.byteLength(dataAsSeen) < 80 ? dataAsSeen : '';
}

function urlOf({ password }: Cluster, port: number): string {
  return `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`;
}

/**
 * A port that is free now and likely to be so after a restart: below those that systems hand out to whoever asks for any
 * (from 32768 on Linux, 49152 elsewhere). A busy machine took such a one while the server was down.
 */
async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= 20; attempt++) {
    const port = randomInt(15_000, 32_768);
    if (await isFree(port)) return port;
  }
  throw new Error('No free port was found between 15000 and 32767.');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => {
      resolve(false);
    });
    probe.listen(port, '127.0.0.1', () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

/** Where the log of the next run begins. */
async function rotateLog(file: string): Promise<number> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size < keepLogBytes) return size;
  await rm(file, { force: true });
  return 0;
}

async function fatalLines(file: string, from: number): Promise<string> {
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  return bytes
    .subarray(from)
    .toString()
    .split('\n')
    .filter((line) => /FATAL|could not bind|HINT|error while loading/.test(line))
    .map((line) => line.replace(/^.*?(FATAL|LOG|HINT):\s*/, ''))
    .join('; ');
}
