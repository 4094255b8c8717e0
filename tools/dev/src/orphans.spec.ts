import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { endOrphans, rememberChild } from './orphans.js';

let folder: string;
let child: ChildProcess;
let ended: Promise<unknown>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'orphans-'));
  child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)', 'the-script'], {
    stdio: 'ignore',
  });
  ended = new Promise((resolve) =>
    child.once('exit', (_code, signal) => {
      resolve(signal);
    }),
  );
});
afterEach(async () => {
  child.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('what a killed launcher left behind', () => {
  it('is ended by the next one in the same folder', async () => {
    rememberChild(folder, 'rotator', child.pid ?? 0, 'the-script');
    expect(await endOrphans(folder)).toEqual(['rotator']);
    expect(await ended).toBe('SIGTERM');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('is left alone when its number belongs to another program by now', async () => {
    rememberChild(folder, 'rotator', child.pid ?? 0, 'another-script');
    expect(await endOrphans(folder)).toEqual([]);
    expect(child.exitCode).toBeNull();
  });
});
