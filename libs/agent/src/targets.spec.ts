// Files and children as they are: real processes, real signals.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { until } from '@twinkey/testing';
import { REAL_CLOCK } from './clock.js';
import { type ExecOptions, ExecTarget } from './exec/target.js';
import { type FileOptions, fileTarget, obstacleTo } from './file/target.js';
import { type Keys, Refused } from './target.js';

let folder: string;
let children: ChildProcess[] = [];
const over = new AbortController();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-targets-'));
});

afterEach(async () => {
  for (const child of children.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  children = [];
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);
const read = (name: string) => readFile(at(name), 'utf8').catch(() => '');
const lines = async (name: string) => (await read(name)).split('\n').filter((line) => line !== '');

function keys(generations: Record<string, number>): Keys {
  return Object.entries(generations).map(([account, generation]) => ({
    account,
    generation,
    fingerprint: undefined,
    key: () => `key-${account}-${generation}`,
  }));
}

/** What is awaited has not come about after all that could bring it about has happened. */
const isPending = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => false), new Promise<boolean>((resolve) => setImmediate(resolve, true))]);

describe('a file', () => {
  const target = (more: Partial<FileOptions> = {}) =>
    fileTarget({
      out: at('key'),
      format: 'raw',
      names: new Map([
        ['speech', 'SPEECH_KEY'],
        ['language', 'LANGUAGE_KEY'],
      ]),
      mode: 0o600,
      drainMs: 0,
      ...more,
    });

  it.each([
    ['raw', { speech: 1 }, 'key-speech-1'],
    ['env', { speech: 1, language: 4 }, 'SPEECH_KEY=key-speech-1\nLANGUAGE_KEY=key-language-4\n'],
    [
      'json',
      { speech: 1, language: 4 },
      '{\n  "SPEECH_KEY": "key-speech-1",\n  "LANGUAGE_KEY": "key-language-4"\n}\n',
    ],
  ] as const)('is written as %s, for its owner only', async (format, generations, text) => {
    await target({ format }).place(keys(generations), over.signal);
    expect(await read('key')).toBe(text);
    expect((await stat(at('key'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['key']);
  });

  it('has the mode that was asked for, whatever the umask, and nothing of what a killed writer left', async () => {
    await writeFile(at('.key.twinkey-new'), 'half a k');
    await target({ mode: 0o664 }).place(keys({ speech: 1 }), over.signal);
    expect((await stat(at('key'))).mode & 0o777).toBe(0o664);
    expect(await readdir(folder)).toEqual(['key']);
  });

  it('is another file after each change, so that a reader has the old key or the new one', async () => {
    await target().place(keys({ speech: 1 }), over.signal);
    const before = await stat(at('key'));
    await target().place(keys({ speech: 2 }), over.signal);
    expect((await stat(at('key'))).ino).not.toBe(before.ino);
  });

  it('takes the place of a link; what it led to stays as it was', async () => {
    await writeFile(at('elsewhere'), 'somebody else’s');
    await symlink(at('elsewhere'), at('key'));
    await target().place(keys({ speech: 1 }), over.signal);
    expect([await read('elsewhere'), await read('key')]).toEqual(['somebody else’s', 'key-speech-1']);
  });

  it('that cannot be written is refused with the reason and without the key', async () => {
    const failing = target({ out: at('nowhere/key') }).place(keys({ speech: 1 }), over.signal);
    const said = await failing.catch(String);
    expect(said).toBe(`Refused: ${at('nowhere/key')} cannot be written (ENOENT)`);
    expect(await obstacleTo(at('nowhere/key'))).toMatch(/folder .*nowhere does not exist/);
    expect(await obstacleTo(folder)).toMatch(/is a folder/);
    expect(await obstacleTo(at('key'))).toBeUndefined();
  });

  /** A program that reads its key at the start and on SIGHUP, and says so in a log. */
  const program = async (): Promise<ChildProcess> => {
    const script = `
      const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
      const read = () => appendFileSync('log', readFileSync('key', 'utf8') + '\\n');
      process.on('SIGHUP', read);
      read();
      writeFileSync('pid', process.pid + '\\n');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['-e', script], { cwd: folder, stdio: 'ignore' });
    children.push(child);
    await until(() => read('pid'));
    return child;
  };

  it('is read again by a program that is told by a signal, and is in place when the program says it is ready', async () => {
    const readiness = { command: `grep -q key-speech-2 ${at('log')}`, withinMs: 20_000, everyMs: 20 };
    const told = target({ addressee: { signal: 'SIGHUP', pid: { file: at('pid') } }, readiness });
    await target().place(keys({ speech: 1 }), over.signal);
    await program();
    await told.place(keys({ speech: 2 }), over.signal);
    expect(await lines('log')).toEqual(['key-speech-1', 'key-speech-2']);
  });

  it('is not in place before a program that does not get ready gave up, and people hear of it', async () => {
    const child = await (async () => {
      await target().place(keys({ speech: 1 }), over.signal);
      return program();
    })();
    const readiness = { command: 'exit 3', withinMs: 40, everyMs: 20 };
    const told = target({ addressee: { signal: 'SIGHUP', pid: child.pid ?? 0 }, readiness });
    await expect(told.place(keys({ speech: 2 }), over.signal)).rejects.toThrow(
      /not ready within 0.04 s: the ready command ended with 3/,
    );
  });

  it('is in place when nobody runs who could have an older key', async () => {
    await writeFile(at('key'), 'key-speech-1');
    const told = target({ addressee: { signal: 'SIGHUP', pid: { file: at('pid') } } });
    await told.place(keys({ speech: 2 }), over.signal);
    expect(await read('key')).toBe('key-speech-2');
  });

  it.each(['', '-1', '0', 'twelve'])('refuses to tell process "%s"', async (text) => {
    await writeFile(at('pid'), text);
    const told = target({ addressee: { signal: 'SIGHUP', pid: { file: at('pid') } } });
    await expect(told.place(keys({ speech: 1 }), over.signal)).rejects.toThrow(/does not hold a process id/);
  });

  it('is in place when an older key can be in nobody’s hands any more', async () => {
    await writeFile(at('key'), 'key-speech-1');
    const waited: number[] = [];
    let now = 0;
    const clock = {
      now: () => now,
      wait: (ms: number) => {
        waited.push(ms);
        now += ms;
        return Promise.resolve();
      },
    };
    const options = {
      out: at('key'),
      format: 'raw',
      names: new Map(),
      mode: 0o600,
      drainMs: 30_000,
    } as const;
    await fileTarget(options, clock).place(keys({ speech: 2 }), over.signal);
    expect(waited).toEqual([30_000]);
  });

  it('waits for an address that answers with 2xx', async () => {
    let answers = 503;
    const server = createServer((_, response) => {
      response.writeHead(answers).end();
      answers = 204;
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      await writeFile(at('key'), 'key-speech-1');
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ready`;
      await target({ readiness: { url, withinMs: 20_000, everyMs: 10 } }).place(
        keys({ speech: 2 }),
        over.signal,
      );
      expect(answers).toBe(204);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});

describe('a program with its key in the environment', () => {
  /** Writes each life into a log: number of the life, key. What it does on SIGTERM is said by `end`. */
  const script = (end = 'leave(0)') => `
    const { appendFileSync, existsSync } = require('node:fs');
    const say = (word) => appendFileSync('log', word + ' ' + process.env.KEY + '\\n');
    const leave = (code) => { say('end'); process.exit(code); };
    process.on('SIGTERM', () => { ${end}; });
    process.on('SIGUSR1', () => say('usr1'));
    process.on('SIGUSR2', () => process.exit(9));
    process.chdir(${JSON.stringify(folder)});
    say('start');
    setInterval(() => { if (existsSync('stop')) process.exit(7); }, 10);`;

  const target = (more: Partial<ExecOptions> = {}, code = script()) =>
    new ExecTarget({
      command: process.execPath,
      parameters: ['-e', code],
      names: new Map([['speech', 'KEY']]),
      overlap: false,
      graceMs: 20_000,
      settleMs: 0,
      readiness: {
        command: `grep -q "start key-speech-$(echo $TWINKEY_GENERATIONS | cut -d= -f2)" ${at('log')}`,
        withinMs: 20_000,
        everyMs: 20,
      },
      env: process.env,
      ...more,
    });

  const ended = async (exec: ExecTarget): Promise<number> => {
    exec.pass('SIGTERM');
    return exec.ended;
  };

  it('is started anew for each key: the older process has ended before', async () => {
    const exec = target();
    await exec.place(keys({ speech: 1 }), over.signal);
    await exec.place(keys({ speech: 1 }), over.signal);
    await exec.place(keys({ speech: 2 }), over.signal);
    expect(await lines('log')).toEqual(['start key-speech-1', 'end key-speech-1', 'start key-speech-2']);
    expect(await ended(exec)).toBe(0);
  });

  it('is started before the older one ends, if both may run', async () => {
    const exec = target({ overlap: true });
    await exec.place(keys({ speech: 1 }), over.signal);
    await exec.place(keys({ speech: 2 }), over.signal);
    expect(await lines('log')).toEqual(['start key-speech-1', 'start key-speech-2', 'end key-speech-1']);
    expect(await ended(exec)).toBe(0);
  });

  it('is killed when it does not end in time', async () => {
    const exec = target({ graceMs: 10 }, script('say("deaf")'));
    await exec.place(keys({ speech: 1 }), over.signal);
    await exec.place(keys({ speech: 2 }), over.signal);
    expect((await lines('log')).filter((line) => line.startsWith('start'))).toHaveLength(2);
    await writeFile(at('stop'), '');
    expect(await exec.ended).toBe(7);
  });

  it('that does not get ready beside the older one leaves the work to it, and people hear of it', async () => {
    const code = `if (process.env.KEY === 'key-speech-2') process.exit(4); ${script()}`;
    const exec = target({ overlap: true }, code);
    await exec.place(keys({ speech: 1 }), over.signal);
    await expect(exec.place(keys({ speech: 2 }), over.signal)).rejects.toThrow(
      'the new process ended with exit code 4 before it was ready; the older one goes on',
    );
    expect(await isPending(exec.ended)).toBe(true);
    expect(await ended(exec)).toBe(0);
  });

  it('that takes too long to get ready is asked again, not started again', async () => {
    const readiness = { command: `test -f ${at('ready')}`, withinMs: 20, everyMs: 10 };
    const exec = target({ readiness });
    await expect(exec.place(keys({ speech: 1 }), over.signal)).rejects.toBeInstanceOf(Refused);
    await until(async () => (await lines('log')).length === 1);
    await writeFile(at('ready'), '');
    await exec.place(keys({ speech: 1 }), over.signal);
    expect(await lines('log')).toEqual(['start key-speech-1']);
    expect(await ended(exec)).toBe(0);
  });

  it('hears the signals that the agent hears', async () => {
    const exec = target();
    expect(exec.pass('SIGUSR1')).toBe(false);
    await exec.place(keys({ speech: 1 }), over.signal);
    expect(exec.pass('SIGUSR1')).toBe(true);
    await until(async () => (await lines('log')).includes('usr1 key-speech-1'));
    expect(await ended(exec)).toBe(0);
  });

  it.each([
    ['its own exit code', 'process.exit(42)', 42],
    ['128 and the number of the signal that ended it', 'process.kill(process.pid, "SIGKILL")', 137],
  ])('ends the agent with %s', async (_, code, expected) => {
    const exec = target({ readiness: undefined, settleMs: 60_000 }, code);
    const placing = exec.place(keys({ speech: 1 }), over.signal);
    expect(await exec.ended).toBe(expected);
    expect(await isPending(placing)).toBe(true); // never acknowledged
  });

  it('that is not there ends it as a shell would', async () => {
    const missing = target({ command: at('no-such-program') });
    void missing.place(keys({ speech: 1 }), over.signal);
    expect(await missing.ended).toBe(127);
    await writeFile(at('text'), 'no program');
    await chmod(at('text'), 0o600);
    const text = target({ command: at('text') });
    void text.place(keys({ speech: 1 }), over.signal);
    expect(await text.ended).toBe(126);
  });

  it('is not started any more once the end has come', async () => {
    const exec = target({}, script('setTimeout(() => leave(3), 50)'));
    await exec.place(keys({ speech: 1 }), over.signal);
    const switching = exec.place(keys({ speech: 2 }), over.signal);
    expect(await ended(exec)).toBe(3);
    expect(await isPending(switching)).toBe(true);
    expect((await lines('log')).filter((line) => line.startsWith('start'))).toHaveLength(1);
  });

  it('has its key nowhere but in its environment', async () => {
    const exec = target();
    await exec.place(keys({ speech: 1 }), over.signal);
    const shown = await readFile(`/proc/self/task/${process.pid}/children`, 'utf8').catch(() => '');
    for (const pid of shown.split(' ').filter((each) => each !== '')) {
      expect(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).not.toContain('key-speech-1');
    }
    expect(await ended(exec)).toBe(0);
  });

  it('is up when it has lived for a while, where nobody can ask it', async () => {
    const exec = target({ readiness: undefined, settleMs: 30 });
    const before = REAL_CLOCK.now();
    await exec.place(keys({ speech: 1 }), over.signal);
    expect(REAL_CLOCK.now() - before).toBeGreaterThanOrEqual(29);
    await until(async () => (await lines('log')).length === 1);
    expect(await ended(exec)).toBe(0);
  });
});
