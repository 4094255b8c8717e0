// The benchmark in short: that it measures both modes, and that its figures are figures. Not how good they are: that
// depends on what else the machine does.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';

const program = (name: string) => fileURLToPath(new URL(`../../../tools/bench/${name}.mjs`, import.meta.url));

describe('npm run bench', () => {
  it('measures sending and receiving, in memory and durable, with the processor time of both sides', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [program('service-bus'), '--messages', '200', '-o', 'json'],
      { env: { ...process.env, NODE_OPTIONS: '' } },
    );
    const rows = JSON.parse(stdout) as Record<string, number>[];
    expect(rows.map(({ name, mode, messages }) => [name, mode, messages])).toEqual(
      ['memory', 'durable'].flatMap((mode) => [
        ['send, one at a time', mode, 20],
        ['send, 64 in flight', mode, 200],
        ['receive and complete, in batches of 500', mode, 200],
        ['receive and complete, subscribed for 64', mode, 220],
      ]),
    );
    for (const row of rows) {
      expect(row['perSecond']).toBeGreaterThan(0);
      expect(row['serverMicrosecondsPerMessage']).toBeGreaterThan(0);
      expect(row['clientMicrosecondsPerMessage']).toBeGreaterThan(0);
    }
  });

  it.each([
    ['service-bus', '--messages', 'many', 'a whole number of messages, 1 or more.'],
    ['key-switch', '--instances', '10,none', 'whole numbers, 1 or more.'],
  ])('refuses a number that is none: %s %s %s', async (name, option, value, rule) => {
    await expect(promisify(execFile)(process.execPath, [program(name), option, value])).rejects.toMatchObject(
      {
        code: 2,
        stderr: `${option} ${value}: ${rule}\n`,
      },
    );
  });
});
