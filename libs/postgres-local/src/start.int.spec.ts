import { execFile, spawn } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { copyOnce, findBinaries } from './binaries.js';
import { createDatabase, startPostgres, type LocalPostgres, type PostgresOptions } from './index.js';

jest.setTimeout(60_000); // initdb takes a second, and many on a machine that is busy with other projects

let home: string;
let dataDir: string;
const servers: LocalPostgres[] = [];

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'postgres-local-'));
  dataDir = path.join(home, 'data');
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(async () => {
  await rm(home, { recursive: true });
});

async function start(more: Partial<PostgresOptions> = {}): Promise<LocalPostgres> {
  const server = await startPostgres({ dataDir, durable: false, ...more });
  servers.push(server);
  return server;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('a server of one’s own', () => {
  it('is one server, however many ask for it at once', async () => {
    const all = await Promise.all([start(), start(), start()]);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all.filter(({ adopted }) => !adopted)).toHaveLength(1);
  });

  it('answers on loopback, to its password only, and keeps what it was told', async () => {
    const first = await start();
    expect(first.adopted).toBe(false);
    await query(first.url, 'create table kept as select 7 as n');
    expect(await query(first.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
    const stranger = new URL(first.url);
    stranger.password = 'guessed';
    await expect(query(stranger.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(path.join(dataDir, 'cluster', 'password'))).mode & 0o777).toBe(0o600);
    await first.stop();
    await first.stop(); // nothing more to do
    await expect(query(first.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });

    const second = await start();
    expect(await query(second.url, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('says so when its port belongs to another program', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        if (address !== null && typeof address === 'object') resolve(address.port);
      });
    });
    await expect(start({ port })).rejects.toThrow(`cannot listen on port ${port}: another program does`);
    await new Promise((resolve) => other.close(resolve));
  });
});

/** A process of its own cannot run our sources; what it runs lies where it finds our packages. */
async function compile(): Promise<string> {
  const project = fileURLToPath(new URL('../', import.meta.url));
  const compiler = fileURLToPath(
    new URL('../../../node_modules/@typescript/native/bin/tsc', import.meta.url),
  );
  const outDir = path.join(project, 'out-tsc', 'parent');
  const plain = ['composite', 'incremental', 'declaration', 'declarationMap', 'sourceMap'];
  await promisify(execFile)(process.execPath, [
    compiler,
    ...['-p', path.join(project, 'tsconfig.lib.json'), '--outDir', outDir],
    ...plain.flatMap((option) => [`--${option}`, 'false']),
    ...['--tsBuildInfoFile', 'null'],
  ]);
  return path.join(outDir, 'index.js');
}

describe('a server whose parent was killed', () => {
  it('is adopted, and can be stopped by the one who adopted it', async () => {
    const door = await compile();
    const script = `
      import { startPostgres } from ${JSON.stringify(door)};
      const { pid, url } = await startPostgres({ dataDir: ${JSON.stringify(dataDir)}, durable: false });
      console.log(JSON.stringify({ pid, url }));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const told = await new Promise<string>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => {
        resolve(chunk.toString());
      });
    });
    const orphan = JSON.parse(told) as { readonly pid: number; readonly url: string };
    await query(orphan.url, 'create table left_behind ()');
    const killed = new Promise((resolve) => parent.once('exit', resolve));
    parent.kill('SIGKILL');
    await killed;

    const adopted = await start();
    expect(adopted).toMatchObject({ adopted: true, ...orphan });
    await query(adopted.url, 'select * from left_behind');
    await adopted.stop();
    await expect(query(adopted.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a server that was killed itself', () => {
  it('starts again over its own pid file, and over one that names some other program', async () => {
    const first = await start();
    process.kill(first.pid, 'SIGKILL');
    const second = await start();
    expect(second.adopted).toBe(false);
    await second.stop();

    const pidFile = path.join(dataDir, 'cluster', 'data', 'postmaster.pid');
    const lines = [process.pid, '/gone', 1, 1, '', '127.0.0.1', '1 1', 'ready'];
    await writeFile(pidFile, lines.join('\n'));
    const third = await start();
    expect(third.adopted).toBe(false);
    expect((await readFile(pidFile, 'utf8')).startsWith(`${third.pid}\n`)).toBe(true);
  });
});

const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('started as root', () => {
  it('runs as nobody, in a folder that nobody could walk to', async () => {
    const closed = await mkdtemp(path.join(home, 'closed-')); // 0700
    const { pid, url } = await start({ dataDir: path.join(closed, 'below', 'data') });
    expect((await stat(`/proc/${pid}`)).uid).toBe(65534);
    await createDatabase(url, 'another');
  });
});

asRoot('binaries that nobody could walk to', () => {
  it('are copied to where everybody can run them, whoever copies at the same time', async () => {
    const { postgres } = await findBinaries(null);
    const installed = path.resolve(postgres, '../../..');
    await chmod(home, 0o755);
    const copy = path.join(home, 'copy');
    await Promise.all([copyOnce(installed, copy), copyOnce(installed, copy)]);
    expect((await readdir(home)).filter((name) => name.startsWith('copy'))).toEqual(['copy']);
    const { stdout } = await promisify(execFile)(
      path.join(copy, path.relative(installed, postgres)),
      ['--version'],
      { uid: 65534, gid: 65534 },
    );
    expect(stdout).toMatch(/^postgres \(PostgreSQL\) \d+/);
  });

  it('are not taken from a folder of somebody else', async () => {
    const planted = path.join(home, 'planted');
    await mkdir(planted);
    await chown(planted, 65534, 65534);
    await expect(copyOnce(home, planted)).rejects.toThrow('belongs to someone else');
  });
});

describe('a database on it', () => {
  it('is created once, by whoever comes first, and can be a copy', async () => {
    const { url } = await start();
    const urls = await Promise.all([1, 2].map(() => createDatabase(url, 'original')));
    expect(urls[0]).toBe(urls[1]);
    await query(urls[0] ?? '', 'create table kept as select 7 as n');
    const copy = await createDatabase(url, 'Strange "name"', 'original');
    expect(await query(copy, 'select n from kept')).toEqual([{ n: 7 }]);
  });
});
