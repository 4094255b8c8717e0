// What init writes, held against those who will read it: the scheduler's schema, kubectl, the parameters of main.bicep.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { readCareFile } from '../doctor/care-file.js';
import { run } from '../run.js';
import { readAccounts } from './accounts-file.js';

const deploy = fileURLToPath(new URL('../../../../deploy', import.meta.url));
const schemaFile = new URL('../../../../apps/scheduler/twinkey.schema.json', import.meta.url);
const subscription = '11111111-2222-3333-4444-555555555555';
const account = (name: string, group = 'ai', more: object = {}) => ({
  id: `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.CognitiveServices/accounts/${name}`,
  kind: 'AIServices',
  ...more,
});
const folder = mkdtempSync(join(tmpdir(), 'init-'));
const list = join(folder, 'accounts.json');
const out = join(folder, 'begin');
const found = [
  account('Speech.Prod'),
  account('vision'),
  account('vision', 'other'),
  account('entra-only', 'ai', { properties: { disableLocalAuth: true } }),
];
writeFileSync(list, JSON.stringify(found));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** The command as it is typed, with what it said. */
async function init(...words: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    jest.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += String(text);
      return true;
    });
  const code = await run(['init', '--prefix', 'contoso', '--deploy', deploy, '--out', out, ...words]);
  jest.restoreAllMocks();
  return { code, ...said };
}

const text = (name: string) => readFileSync(join(out, name), 'utf8');

describe('the files with which an installation begins', () => {
  it('are written from a list of accounts, and what to do next is said', async () => {
    const { code, stdout, stderr } = await init('--from-file', list);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('written: ') });
    expect(readdirSync(out).toSorted()).toEqual([
      'database.env',
      'identities.env',
      'kustomization.yaml',
      'main.bicepparam',
      'settings.env',
      'twinkey.yaml',
    ]);
    expect(stderr).toContain(`kubectl apply -k ${out}`);
    expect(stderr).toContain('4 accounts, 1 of them without keys');
  });

  it('are not written over what somebody changed, unless told to', async () => {
    writeFileSync(join(out, 'settings.env'), 'MINE=1\n');
    const { code, stderr } = await init('--from-file', list);
    expect({ code, stderr }).toMatchObject({ code: 4, stderr: expect.stringContaining('--force') });
    expect(text('settings.env')).toBe('MINE=1\n');
    expect(await init('--from-file', list, '--force')).toMatchObject({ code: 0 });
    expect(text('settings.env')).toContain('TWINKEY_KEY_VAULT_URL=https://contoso-keys.vault.azure.net');
  });

  it('hold a twinkey.yaml that the schema of the scheduler takes, with a secret for each account', () => {
    const schema = z.fromJSONSchema(JSON.parse(readFileSync(schemaFile, 'utf8')) as never);
    expect(schema.safeParse(parse(text('twinkey.yaml'))).error?.message).toBeUndefined();
    expect(schema.safeParse({ ...(parse(text('twinkey.yaml')) as object), typo: 1 }).success).toBe(false);
    const { file, faults } = readCareFile(text('twinkey.yaml'), { keyVaultUrl: 'https://v' });
    expect(faults).toEqual([]);
    expect(file.entries.map(({ secret }) => secret)).toEqual([undefined, 'ai-vision', 'other-vision']);
    expect(text('twinkey.yaml')).toContain('accounts/entra-only');
  });

  it('give main.bicep what it asks for, and no password', () => {
    const template = readFileSync(join(deploy, 'bicep/main.bicep'), 'utf8');
    const declared = [...template.matchAll(/^param (\w+) \w+( =)?/gm)];
    const required = declared.flatMap(([, name = '', fallback]) => (fallback === undefined ? [name] : []));
    const given = [...text('main.bicepparam').matchAll(/^param (\w+) = (.*)$/gm)];
    const names = given.map(([, name = '']) => name);
    expect(names).toEqual(expect.arrayContaining(required));
    expect(declared.map(([, name = '']) => name)).toEqual(expect.arrayContaining(names));
    expect(text('main.bicepparam')).toContain(`using '${relative(out, deploy)}/bicep/main.bicep'`);
    expect(names.filter((name) => /password/i.test(name))).toEqual([]);
    expect(text('main.bicepparam').match(/name: '/g)).toHaveLength(3);
  });

  const isHere = spawnSync('kubectl', ['kustomize', '--help']).status === 0;
  (isHere ? it : it.skip)('are an overlay that kubectl renders: the services, with these accounts', () => {
    const { stdout, stderr, status } = spawnSync('kubectl', ['kustomize', out], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const objects = parseAllDocuments(stdout).map(
      (document) =>
        document.toJS() as { kind: string; metadata: { name: string }; data?: Record<string, string> },
    );
    const ofKind = (kind: string) => objects.filter((each) => each.kind === kind);
    expect(
      ofKind('Deployment')
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    ).toEqual(['console', 'notifier', 'rotator', 'scheduler']);
    const data = Object.assign({}, ...ofKind('ConfigMap').map((each) => each.data)) as Record<string, string>;
    expect(data['twinkey.yaml']).toBe(text('twinkey.yaml'));
    expect(data['TWINKEY_SERVICE_BUS_NAMESPACE']).toBe('contoso-bus.servicebus.windows.net');
    const [url, ...others] = ofKind('Secret').map(({ data: secret }) =>
      Buffer.from(secret?.['rotator'] ?? '', 'base64').toString(),
    );
    expect([url, ...others]).toEqual([
      'postgres://rotator@contoso-postgres.postgres.database.azure.com:5432/twinkey?sslmode=verify-full',
    ]);
  });
});

describe('what init cannot begin with', () => {
  it.each<[string, readonly string[], number, string]>([
    ['nothing to find accounts in', [], 2, '--from-file'],
    ['a prefix that Azure would refuse', ['--from-file', list, '--prefix', 'No_'], 2, '3 to 14'],
    ['a folder that is not deploy', ['--from-file', list, '--deploy', folder], 2, '--deploy'],
    [
      'a file that is none',
      ['--from-file', join(folder, 'none.json')],
      2,
      'az cognitiveservices account list',
    ],
  ])('is %s', async (_, words, code, says) => {
    delete process.env['AZURE_SUBSCRIPTION_ID'];
    expect(await init(...words)).toMatchObject({ code, stderr: expect.stringContaining(says) });
  });

  it('is a list without an account in it', async () => {
    writeFileSync(join(folder, 'empty.json'), '[]');
    expect(await init('--from-file', join(folder, 'empty.json'))).toMatchObject({ code: 3 });
    expect(() => readAccounts('{"value":[{"id":"/subscriptions/x"}]}')).toThrow('[0].id must be the ARM id');
  });
});
