// `twinkey agent` and `twinkey exec` as people run them, with programs that know nothing of twinkey: one reads a file,
// the other its environment. They call an account of the embedded Azure while both of its keys are replaced.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '@twinkey/testing';
import { Installation } from './testing/installation.js';

// Processes start here one after the other, and the machine may be busy.
jest.setTimeout(90_000);

const cli = fileURLToPath(new URL('../bin/twinkey.mjs', import.meta.url));
const NAME = 'multi';

let installation: Installation;
let folder: string;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agent-cli-'));
  installation = await Installation.start(NAME);
});

afterAll(async () => {
  for (const each of processes.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    each.kill('SIGKILL');
    await once(each, 'exit');
  }
  await installation.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A process, and all that it says. */
function started(parameters: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, parameters, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...installation.environment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  processes.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, ended, said: () => said };
}

const twinkey = (...parameters: string[]) => started([cli, ...parameters]);

/** Calls the account without pause; `takeKey` says where the key comes from. Writes a dot per call, so that one sees it is alive. */
const caller = (takeKey: string) => `
  const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
  let key;
  ${takeKey}
  (async () => {
    for (;;) {
      const answer = await fetch('${installation.azure.endpoints.origin}/${NAME}/text/analytics/v3.1/languages', {
        method: 'POST',
        headers: { 'ocp-apim-subscription-key': key, 'content-type': 'application/json' },
        body: JSON.stringify({ documents: [{ id: '1', text: 'twinkey' }] }),
      });
      await answer.text();
      appendFileSync(process.argv[1] + '.calls', answer.ok ? '.' : '!');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();`;

const calls = async (program: string) =>
  await readFile(join(folder, `${program}.calls`), 'utf8').catch(() => '');

async function moreCalls(programs: readonly string[]): Promise<void> {
  for (const program of programs) {
    const before = (await calls(program)).length;
    await until(async () => (await calls(program)).length > before + 5);
  }
}

describe('programs that cannot be changed', () => {
  const readsFile = `
    const read = () => { key = readFileSync('key', 'utf8'); };
    process.on('SIGHUP', read);
    read();
    writeFileSync('pid', String(process.pid));`;
  const readsEnvironment = `
    key = process.env.SPEECH_KEY;
    process.on('SIGTERM', () => process.exit(5));
    writeFileSync('started', key);`;
  const both = ['by-file', 'by-environment'] as const;

  it('survive that both keys of their account are replaced, with no refused call, and no key is shown anywhere', async () => {
    await installation.publish('Key1', 1);
    const agent = twinkey(
      'agent',
      '--consumer',
      'by-file',
      '--account',
      NAME,
      '--out',
      'key',
      '--pid-file',
      'pid',
      '--drain',
      '1s',
    );
    const exec = twinkey(
      'exec',
      '--consumer',
      'by-environment',
      '--env',
      `SPEECH_KEY=${NAME}`,
      '--settle',
      '100ms',
      '--',
      process.execPath,
      '-e',
      caller(readsEnvironment),
      'by-environment',
    );
    await installation.acknowledged(1, both);
    expect((await stat(join(folder, 'key'))).mode & 0o777).toBe(0o600);
    started(['-e', caller(readsFile), 'by-file']);
    await moreCalls(both);

    await installation.publish('Key2', 2);
    await installation.acknowledged(2, both);
    await installation.regenerate('Key1');
    await moreCalls(both);
    await installation.publish('Key1', 3);
    await installation.acknowledged(3, both);
    await installation.regenerate('Key2');
    await moreCalls(both);

    const used = installation.azure.control.ledger.entries();
    expect(used.filter(({ outcome }) => outcome === 'refused')).toEqual([]);
    expect(used.map(({ slot }) => slot).sort()).toEqual(expect.arrayContaining(['key1', 'key2']));
    expect((await calls('by-file')) + (await calls('by-environment'))).not.toContain('!');

    // Nothing of twinkey for a while: the programs go on with what they have.
    installation.isSilent = true;
    await until(
      () => agent.said().includes('the notifier is silent') && exec.said().includes('the notifier is silent'),
    );
    await moreCalls(both);
    installation.isSilent = false;
    await until(() => agent.said().includes('the notifier answers again'));

    const shown = agent.said() + exec.said() + (await arguments_([agent.child, exec.child]));
    expect(installation.keys.size).toBe(4);
    for (const key of installation.keys) expect(shown).not.toContain(key);
    expect(agent.said()).toContain(`${NAME}=3: in use, file key`);

    agent.child.kill('SIGTERM');
    expect(await agent.ended).toBe(0);
    expect(installation.instanceOf('by-file')?.isGone).toBe(false); // the program goes on with its key
    exec.child.kill('SIGTERM');
    expect(await exec.ended).toBe(5);
    expect(installation.instanceOf('by-environment')?.isGone).toBe(true);
  });
});

/** What `ps` would show of these processes, where one can look. */
async function arguments_(shown: readonly ChildProcess[]): Promise<string> {
  const texts = shown.map(({ pid }) => readFile(`/proc/${pid ?? 0}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(texts)).join(' ');
}
