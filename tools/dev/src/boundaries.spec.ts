// The walls between projects are only as good as the rule that watches them, and that rule is skipped without a
// word when its project graph is missing. So violations are planted (as text, in place of a file that exists) and
// must be reported.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../../../', import.meta.url));

interface Message {
  readonly ruleId: string | null;
  readonly line: number;
}

interface Planted {
  readonly file: string;
  /** Each line with the rule that must report it. */
  readonly lines: readonly (readonly [text: string, rule: string])[];
}

const wall = '@nx/enforce-module-boundaries';
const planted: readonly Planted[] = [
  {
    file: 'libs/rotation/src/plan.ts',
    lines: [
      [`import { loadStream } from '@twinkey/journal'; export { loadStream };`, wall],
      [`import { z } from 'zod'; export { z };`, wall],
      [`import { readFileSync } from 'node:fs'; export { readFileSync };`, 'no-restricted-imports'],
      [`export const now = Date.now();`, 'no-restricted-syntax'],
      [`export const wait = async () => { await Promise.resolve(); };`, 'no-restricted-syntax'],
    ],
  },
  {
    file: 'libs/journal/src/database.ts',
    lines: [
      [`import { Controller } from '@nestjs/common'; export { Controller };`, wall],
      [`import { plan } from '@twinkey/rotation'; export { plan };`, wall],
    ],
  },
  {
    file: 'libs/azure-local/src/index.ts',
    lines: [[`import { KeySlot } from '@twinkey/contracts'; export { KeySlot };`, wall]],
  },
  {
    file: 'apps/rotator/src/main.ts',
    lines: [
      [`import '../../notifier/src/main.js';`, wall],
      [`import { start } from '@twinkey/azure-local'; export { start };`, wall],
    ],
  },
];

/** What lint would say if each file held these lines. */
function lint(texts: readonly { file: string; text: string }[]): Promise<readonly (readonly Message[])[]> {
  const eslint = spawn(process.execPath, ['tools/lint-texts.mjs'], {
    cwd: root,
    env: { ...process.env, NX_DAEMON: 'false', NODE_OPTIONS: '' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  eslint.stdin.end(JSON.stringify(texts));
  let out = '';
  eslint.stdout.setEncoding('utf8');
  eslint.stdout.on('data', (chunk: string) => (out += chunk));
  return new Promise((resolve, reject) => {
    eslint.once('error', reject);
    eslint.once('close', () => {
      resolve(JSON.parse(out) as Message[][]);
    });
  });
}

describe('a planted violation', () => {
  let reports: readonly (readonly Message[])[];

  beforeAll(async () => {
    reports = await lint(
      planted.map(({ file, lines }) => ({ file, text: lines.map(([text]) => text).join('\n') })),
    );
  }, 120_000);

  it.each(planted.map(({ file, lines }, index) => ({ file, lines, index })))(
    'in $file is reported',
    ({ lines, index }) => {
      const reported = reports[index] ?? [];
      for (const [line, [text, rule]] of lines.entries()) {
        const rules = reported.filter((message) => message.line === line + 1).map(({ ruleId }) => ruleId);
        expect({ text, rules }).toEqual({ text, rules: expect.arrayContaining([rule]) });
      }
    },
  );
});
