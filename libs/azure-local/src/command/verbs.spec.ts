import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { start, type AzureLocal } from '../host/start.js';
import { run } from './run.js';

jest.setTimeout(30_000); // starting and signing take their time on a busy machine

const dataDir = mkdtempSync(join(tmpdir(), 'azure-'));
let azure: AzureLocal;
beforeAll(async () => {
  azure = await start({
    dataDir,
    fleet: [{ name: 'first' }, { name: 'second' }],
    topology: { UserConfig: { Namespaces: [{ Name: 'local', Queues: [{ Name: 'orders' }] }] } },
  });
});
afterAll(() => azure.close());

async function command(...args: string[]) {
  const [said, complaints]: [string[], string[]] = [[], []];
  const code = await run(args, {
    say: (line) => said.push(line),
    complain: (line) => complaints.push(line),
    stopped: new Promise(() => undefined),
  });
  return { code, said: said.join('\n'), complaints };
}
const here = (...args: string[]) => command(...args, '--data', dataDir);

describe('a command for a running emulator', () => {
  it('plants a fault, lists it with what it struck, and removes it', async () => {
    const planted = await here(
      ...['fault', 'add', 'ai', 'status', '--target', 'first', '--count', '2'],
      ...['--set', 'status=503', '--set', 'retryAfterSeconds=7', '-o', 'json'],
    );
    expect([planted.code, planted.complaints]).toEqual([0, []]);
    const { id } = JSON.parse(planted.said) as { id: string };
    const answer = await azure.call('/first/x');
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '7']);
    expect((await here('fault', 'list')).said).toBe(
      `${id}  ai * first  {"kind":"status","status":503,"retryAfterSeconds":7}  struck 1 of 2`,
    );
    expect((await here('fault', 'remove', id)).said).toBe(`removed ${id}`);
    expect(await here('fault', 'remove', id)).toMatchObject({
      code: 2,
      complaints: [expect.stringMatching(/^No fault \d+; /)],
    });
    await here('fault', 'add', 'arm', 'outage', '--count', 'unlimited');
    expect((await here('fault', 'remove', '--all')).said).toBe('removed all');
    expect(azure.control.faults.list()).toEqual([]);
  });

  it('shows and turns the clock', async () => {
    expect((await here('clock')).said).toMatch(/Z, 0 ms ahead$/);
    expect((await here('clock', '--advance', '90s')).said).toMatch(/Z, 90000 ms ahead$/);
    expect((await here('clock', '--set', '2040-01-01T00:00:00Z')).said).toMatch(/^2040-01-01T00:00:0/);
  });

  it('restarts, and waits until all is back', async () => {
    expect((await here('restart', 'key-vault', '--down', '50ms')).said).toBe('restarted key-vault');
    expect((await here('restart', '--forget-signing-keys')).said).toBe(
      'restarted entra, arm, ai, key-vault, service-bus',
    );
    expect((await azure.call('/_local/healthz')).status).toBe(200);
  });

  it('shows the ledger and the accounts', async () => {
    await azure.call('/first/x', { headers: { 'user-agent': 'prober/1' } });
    expect((await here('ledger')).said).toBe('first  none  none  refused  prober/1  1');
    expect((await here('ledger', '--reset')).said).toBe('started anew');
    expect((await here('ledger')).said).toBe('');
    expect((await here('accounts')).said).toBe('first\nsecond');
    expect(JSON.parse((await here('accounts', '-o', 'json')).said)).toEqual({
      accounts: ['first', 'second'],
    });
  });

  it('troubles the connections and locks of Service Bus', async () => {
    expect((await here('drop-connections')).said).toBe('dropped 0 connections');
    expect((await here('expire-locks', 'orders')).said).toBe('expired the locks of orders');
  });

  it('finds it by its address too', async () => {
    const { code, said } = await command(
      ...['accounts', '--origin', azure.endpoints.origin, '--ca', azure.caFile],
    );
    expect([code, said]).toEqual([0, 'first\nsecond']);
  });
});

describe('a mistake in such a command', () => {
  it.each([
    [['fault'], /^fault : add, list or remove was expected/],
    [['fault', 'add', 'arm'], /^fault add: a service and an effect/],
    [['fault', 'add', 'arm', 'fire'], /^effect.kind: one of throttle/],
    [['fault', 'add', 'arm', 'outage', '--count', 'x'], /^--count x: a whole number/],
    [['fault', 'add', 'arm', 'delay', '--set', 'ms'], /^--set ms: FIELD=VALUE/],
    [['fault', 'remove'], /^fault remove: name the ID/],
    [['clock', '--advance', 'soon'], /^--advance soon: a time such as/],
    [['clock', '--set', '1999-01-01'], /^set: that is over/],
    [['restart', 'blob'], /^service: one of entra/],
    [['ledger', '--count', '1'], /^Unknown option '--count' of ledger/],
    [['accounts', 'more'], /^Unexpected argument 'more'/],
    [['accounts', '-o', 'yaml'], /^-o yaml: only json/],
    [['expire-locks'], /^expire-locks: the path/],
    [['accounts', '--colour'], /^Unknown option '--colour'/],
  ])('is one sentence and exit code 2: %j', async (args, message) => {
    const { code, said, complaints } = await here(...args);
    expect([code, said, complaints]).toEqual([2, '', [expect.stringMatching(message)]]);
    expect(complaints[0]).not.toContain('\n');
  });

  it('includes an emulator that is not there', async () => {
    const nowhere = mkdtempSync(join(tmpdir(), 'azure-'));
    expect(await command('accounts', '--data', nowhere)).toMatchObject({
      code: 2,
      complaints: [expect.stringMatching(/nothing runs there\. Start it/)],
    });
    expect(await command('accounts', '--origin', 'https://localhost:1', '--ca', azure.caFile)).toMatchObject({
      code: 2,
      complaints: [expect.stringMatching(/^Nothing answers at https:\/\/localhost:1 \(ECONNREFUSED\)/)],
    });
  });
});

describe('--help of a command', () => {
  it.each(['fault', 'clock', 'restart', 'ledger', 'accounts', 'drop-connections', 'expire-locks'])(
    'says how it is used: %s',
    async (name) => {
      const { code, said } = await command(name, '--help');
      expect([code, said]).toEqual([0, expect.stringMatching(new RegExp(`^Usage: twinkey-azure ${name}`))]);
      expect(said).toContain('--data DIR');
      expect((await command('--help')).said).toContain(`\n  ${name} `);
    },
  );
});
