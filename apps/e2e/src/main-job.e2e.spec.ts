// What a newcomer runs, as they run it.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const demo = fileURLToPath(new URL('../../../tools/dev/dist/demo.js', import.meta.url));

function run(): Promise<{ code: number | null; lines: readonly string[] }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [demo], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, lines: out.trimEnd().split('\n') });
    });
  });
}

describe('npm run demo', () => {
  it('rotates the sample fleet under load with no call refused, and says so in its last line', async () => {
    const { code, lines } = await run();
    const report = JSON.parse(lines.at(-1) ?? '') as Record<string, number | boolean>;
    expect({ code, report }).toMatchObject({
      code: 0,
      report: {
        ok: true,
        accounts: 14,
        rotationsCompleted: 14,
        keysReplaced: 28,
        oldKeys: 28,
        oldKeysStillAccepted: 0,
        instances: 36,
        refused: 0,
      },
    });
    expect(report['calls']).toBeGreaterThan(500);
  });
});
