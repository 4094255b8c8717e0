import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv, promisify } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import { run } from './run.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

const inFolder = (name: string) => join(mkdtempSync(join(tmpdir(), 'azure-app-')), name);

/** Runs until `meanwhile` is done, or until the run ends by itself. */
async function running(
  args: readonly string[],
  meanwhile: (said: string[]) => Promise<void> = () => Promise.resolve(),
) {
  const said: string[] = [];
  const complaints: string[] = [];
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const code = run(args, {
    say: (line) => {
      said.push(line);
      if (line.startsWith('Stop it')) void meanwhile(said).finally(stop);
    },
    complain: (line) => complaints.push(line),
    stopped,
  });
  return { code: await code, said, complaints };
}

describe('an emulator that was asked for an environment file', () => {
  it('writes it when all of it listens, for the owner only, complete and sufficient for any program', async () => {
    const [data, file] = [inFolder('data'), inFolder('azure.env')];
    let seen: Record<string, string | undefined> = {};
    let child = '';
    const { code, complaints } = await running(
      ['--data', data, '--env-file', file, '--variable', 'MY_VAULT=key-vault'],
      async () => {
        expect(statSync(file).mode & 0o777).toBe(0o600);
        seen = parseEnv(readFileSync(file, 'utf8'));
        const program =
          "fetch(process.env.AZURE_AUTHORITY_HOST + '/_local/healthz').then(async (r) => console.log(await r.text()))";
        const env = {
          PATH: process.env['PATH'],
          NODE_EXTRA_CA_CERTS: seen['NODE_EXTRA_CA_CERTS'],
          AZURE_AUTHORITY_HOST: seen['AZURE_AUTHORITY_HOST'],
        };
        child = (await promisify(execFile)(process.execPath, ['-e', program], { env })).stdout;
      },
    );
    expect([code, complaints]).toEqual([0, []]);
    expect(child).toBe('{"status":"ok"}\n');
    expect(Object.keys(seen).sort()).toEqual([
      'AZURE_AUTHORITY_HOST',
      'AZURE_CLIENT_ID',
      'AZURE_CLIENT_SECRET',
      'AZURE_SUBSCRIPTION_ID',
      'AZURE_TENANT_ID',
      'AZURE_TOKEN_CREDENTIALS',
      'MY_VAULT',
      'NODE_EXTRA_CA_CERTS',
      'SERVICEBUS_CONNECTION_STRING',
    ]);
    expect(seen['MY_VAULT']).toMatch(/^https:\/\/localhost:\d+$/);
    expect(seen['SERVICEBUS_CONNECTION_STRING']).toMatch(
      /^Endpoint=sb:\/\/localhost:\d+;.*;UseDevelopmentEmulator=true$/,
    );
  });

  it('prints where everything is, and no secret', async () => {
    const [data, file] = [inFolder('data'), inFolder('azure.env')];
    let secrets: (string | undefined)[] = [];
    const { said } = await running(['--data', data, '--env-file', file], () => {
      const env = parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
      secrets = [
        env['AZURE_CLIENT_SECRET'],
        /SharedAccessKey=([^;]+)/.exec(env['SERVICEBUS_CONNECTION_STRING'] ?? '')?.[1],
      ];
      return Promise.resolve();
    });
    expect(said.join('\n')).toMatch(/Resource Manager, AI +https:\/\/localhost:\d+/);
    expect(secrets.every((secret) => (secret ?? '').length > 20)).toBe(true);
    for (const secret of secrets) expect(said.join('\n')).not.toContain(secret);
  });
});

describe('a fleet file', () => {
  it('says which accounts there are', async () => {
    const file = inFolder('fleet.json');
    writeFileSync(file, '{ "accounts": [{ "name": "first", "keyFormat": "hex32" }, { "name": "second" }] }');
    const { said } = await running(['--data', inFolder('data'), '--fleet', file]);
    expect(said.join('\n')).toMatch(/accounts +first, second\n/);
  });
});

describe('a mistake on the command line', () => {
  const badFleet = inFolder('fleet.json');
  writeFileSync(badFleet, '{ "accounts": [{ "name": "aa", "keyFormat": "long" }] }');
  const broken = inFolder('broken.json');
  writeFileSync(broken, '{ "accounts": [{');

  it.each([
    [['--port', 'x'], /^--port x: a port is a number from 0/],
    [['--port', '70000'], /^--port 70000/],
    [['--variable', 'MY_VAULT=vault'], /^MY_VAULT=vault: NAME=PLACE was expected, PLACE one of .*key-vault/],
    [['--colour'], /^Unknown option '--colour'.* See --help\.$/],
    [['extra'], /^Unexpected argument 'extra'/],
    [['--env-file', '/nowhere/azure.env'], /^--env-file .*: its folder does not exist/],
    [['--fleet', '/nowhere.json'], /^--fleet \/nowhere\.json: the file cannot be read\.$/],
    [['--fleet', badFleet], /accounts\[0\]\.keyFormat: "hex32"/],
    [['--fleet', broken], /^--fleet .*broken\.json: the file is not JSON/],
    [['--topology', badFleet], /^--topology .*UserConfig.*was expected\.$/],
  ])('is one clear message and exit code 2: %j', async (args, message) => {
    const data = inFolder('data');
    const { code, said, complaints } = await running(['--data', data, ...args]);
    expect([code, said]).toEqual([2, []]);
    expect(complaints).toEqual([expect.stringMatching(message)]);
    expect(existsSync(data)).toBe(false);
  });

  it('includes a port that is taken and a folder that is in use', async () => {
    const data = inFolder('data');
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => squatter.once('listening', listening));
    const { port } = squatter.address() as { port: number };
    const taken = await running(['--data', data, '--vault-port', String(port)]);
    squatter.close();
    expect(taken).toMatchObject({
      code: 2,
      complaints: [expect.stringMatching(`^Port ${port} for vault local is taken`)],
    });
    let second: { code: number; complaints: string[] } | undefined;
    await running(['--data', data], async () => {
      second = await running(['--data', data]);
    });
    expect(second).toMatchObject({ code: 2, complaints: [expect.stringMatching(/in use by process/)] });
  });
});

describe('--help', () => {
  it.each([['--help'], ['start', '--help']])('names every option: %s', async (...args) => {
    const { code, said } = await running(args);
    expect(code).toBe(0);
    for (const flag of [
      '--data',
      '--env-file',
      '--variable',
      '--fleet',
      '--topology',
      '--port',
      '--vault-port',
      '--service-bus-port',
    ]) {
      expect(said.join('\n')).toContain(`${flag} `);
    }
  });
});
