import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(240_000); // a clean build on a busy machine

const execute = promisify(execFile);
const library = fileURLToPath(new URL('../..', import.meta.url));
const workspace = join(library, '..', '..');

/** Builds a copy, so that nothing of an earlier build gets in; packs it; answers the folder that a user would have. */
async function installed(): Promise<{ app: string; contents: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'azure-published-'));
  const copy = join(folder, 'libs', 'azure-local');
  mkdirSync(copy, { recursive: true });
  cpSync(join(workspace, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
  for (const name of ['package.json', 'README.md', 'LICENSE', 'docs', 'src', 'tsconfig.lib.json'])
    cpSync(join(library, name), join(copy, name), { recursive: true });
  symlinkSync(join(workspace, 'node_modules'), join(folder, 'node_modules'));
  const tsc = join(workspace, 'node_modules', '.bin', 'tsc');
  await execute(tsc, ['--build', 'tsconfig.lib.json'], { cwd: copy });
  const { stdout } = await execute('npm', ['pack', '--json', '--offline', '--pack-destination', folder], {
    cwd: copy,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [{ filename, files } = { filename: '', files: [] }] = JSON.parse(stdout) as {
    filename: string;
    files: { path: string }[];
  }[];
  const app = join(folder, 'app');
  const target = join(app, 'node_modules', '@twinkey', 'azure-local');
  mkdirSync(target, { recursive: true });
  await execute('tar', ['-xzf', join(folder, filename), '-C', target, '--strip-components=1']);
  return { app, contents: files.map(({ path }) => path) };
}

describe('the published package', () => {
  it('has what runs and what explains, nothing else, and starts from its command', async () => {
    const { app, contents } = await installed();
    const strange = contents.filter(
      (path) => !/^(dist\/.*\.(js|d\.ts)|docs\/.*\.md|package\.json|README\.md|LICENSE)$/.test(path),
    );
    expect(strange).toEqual([]);
    expect(contents.filter((path) => /spec|out-tsc|contract|fuzz|testing/.test(path))).toEqual([]);
    expect(contents).toEqual(expect.arrayContaining(['README.md', 'LICENSE', 'docs/embedded-azure.md']));

    const about = JSON.parse(
      readFileSync(join(app, 'node_modules/@twinkey/azure-local/package.json'), 'utf8'),
    ) as { private?: boolean; bin: Record<string, string> };
    expect(about.private).toBeUndefined();
    const command = join(app, 'node_modules/@twinkey/azure-local', about.bin['twinkey-azure'] ?? '');
    const env = { ...process.env, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, ['--', command, '--env-file', 'azure.env'], { cwd: app, env });
    const complaints: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
    const ended = once(child, 'exit');
    let said = '';
    await new Promise<void>((listening, failed) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('Stop it with')) listening();
      });
      child.once('exit', (code) => {
        failed(new Error(`it ended with ${code}: ${complaints.join('')}`));
      });
    });
    expect(complaints).toEqual([]);
    expect(parseEnv(readFileSync(join(app, 'azure.env'), 'utf8'))).toHaveProperty('AZURE_CLIENT_ID');
    const { stdout } = await execute(process.execPath, ['--', command, 'accounts'], { cwd: app, env });
    expect(stdout).toBe('language-weu\nopenai-weu\ntranslator-neu\n');
    const program = "import('@twinkey/azure-local').then((m) => console.log(typeof m.start))";
    expect((await execute(process.execPath, ['-e', program], { cwd: app, env })).stdout).toBe('function\n');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(existsSync(join(app, '.azure-local', 'running.json'))).toBe(false);
  });
});
