// Where what we ship comes from: what is in each image, what is known about it, and what a release publishes.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  auditFaults,
  explanationFaults,
  NoAudit,
  readReport,
  type AuditReport,
  type Explanation,
} from './audit.js';
import { billOf } from './bill-of-materials.js';
import { installedFor, type LockedPackages } from './dependency-tree.js';
import { IMAGES } from './images.js';
import { readNaming, readLock, readManifests } from './read-manifests.js';
import { oldVersions, publishOrder, releaseFaults, type Manifest } from './release.js';
import { root } from './repository.js';

const packages = readLock();
const manifests = readManifests();
const [{ version } = { version: '' }] = manifests;
const dockerfile = readFileSync(`${root}docker/Dockerfile`, 'utf8');

describe('the bill of materials of an image', () => {
  const bill = billOf('notifier', { packages, dockerfile });
  const references = bill.components.map((component) => component['bom-ref']);

  it('names each component once, with its version, where it is had and what it must hash to', () => {
    expect(new Set(references).size).toBe(references.length);
    for (const { group, name, version, purl, hashes, licenses } of bill.components) {
      expect(purl).toMatch(/^pkg:(npm|oci)\/.+@.+$/);
      expect([name, version].every((text) => text.length > 0)).toBe(true);
      if (group === '@twinkey') continue;
      expect(hashes?.[0]?.content).toMatch(/^[0-9a-f]{64,128}$/);
      if (purl.startsWith('pkg:npm')) expect([purl, licenses?.length]).toEqual([purl, 1]);
    }
  });

  it('has what the program needs, directly or not, and the image below it', () => {
    expect(bill.metadata.component.purl).toBe(`pkg:npm/%40twinkey/notifier@${version}`);
    const names = bill.components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
    expect(names).toEqual(
      expect.arrayContaining([
        '@twinkey/key-switch',
        '@nestjs/common',
        'rhea-promise',
        'gcr.io/distroless/nodejs24-debian12',
      ]),
    );
  });

  it.each(IMAGES)('of %s has nothing that only builds and tests need', (app) => {
    const installed = installedFor(`apps/${app}`, packages);
    expect(installed.filter(({ entry }) => entry.dev === true).map(({ name }) => name)).toEqual([]);
    expect(installed.map(({ name }) => name)).not.toContain('jest');
    expect(installed.length).toBeGreaterThan(20);
  });

  it('says for each component what it needs, and nothing that it does not list', () => {
    const known = new Set([bill.metadata.component['bom-ref'], ...references]);
    const named = bill.dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]);
    expect(named.filter((reference) => !known.has(reference))).toEqual([]);
    const program = bill.dependencies.find(({ ref }) => ref.includes('%40twinkey/notifier@'));
    expect(program?.dependsOn).toContain(`pkg:npm/%40twinkey/key-switch@${version}`);
  });

  it('is the same for the same sources, and another one for others', () => {
    expect(billOf('notifier', { packages, dockerfile })).toEqual(bill);
    const other = dockerfile.replaceAll('14d42e25', '24d42e25');
    expect(billOf('notifier', { packages, dockerfile: other }).serialNumber).not.toBe(bill.serialNumber);
  });

  it('is refused when the lock file lacks what is needed', () => {
    const without: LockedPackages = Object.fromEntries(
      Object.entries(packages).filter(([path]) => path !== 'node_modules/kysely'),
    );
    expect(() => installedFor('apps/notifier', without)).toThrow('lacks kysely');
  });
});

describe('the lock file', () => {
  const installed = Object.entries(packages).filter(
    ([path, { link }]) => path.includes('node_modules/') && link !== true,
  );

  it('says of each package what it must hash to, and names no place from which it was had', () => {
    expect(installed.filter(([, { integrity }]) => integrity?.startsWith('sha') !== true)).toEqual([]);
    expect(installed.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
  });

  it('has no package whose own script npm may run', () => {
    const { allowScripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
      allowScripts: Record<string, boolean>;
    };
    const withScripts = installed.flatMap(([path, { hasInstallScript }]) =>
      hasInstallScript === true ? [path.slice(path.lastIndexOf('node_modules/') + 13)] : [],
    );
    expect(withScripts.filter((name) => allowScripts[name] !== false)).toEqual([]);
    expect(withScripts).toContain('esbuild');
  });

  it('is asked for by manifests that name one version of each package', () => {
    const loose = Object.entries(packages)
      .filter(([path]) => !path.includes('node_modules/'))
      .flatMap(([path, { dependencies = {} }]) =>
        Object.entries(dependencies).map(([name, range]) => `${path}: ${name} ${range}`),
      )
      .filter((line) => !/: @twinkey\/\S+ \*$| (npm:\S+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(line));
    expect(loose).toEqual([]);
  });
});

const GHSA = 'GHSA-aaaa-bbbb-cccc';
const report = (...advisories: string[]): AuditReport => ({
  vulnerabilities: {
    ini: {
      nodes: ['node_modules/ini'],
      via: advisories.map((id) => ({
        url: `https://github.com/advisories/${id}`,
        title: 'Prototype pollution',
        severity: 'high',
        name: 'ini',
      })),
    },
    config: { nodes: ['node_modules/config'], via: ['ini'] },
  },
});
const explanation: Explanation = {
  advisory: GHSA,
  reaches: 'development',
  why: 'It reads a file of ours only, and nobody else can write that file.',
  until: '2026-12-31',
};

describe('the audit', () => {
  const faults = (
    explained: readonly Explanation[],
    { all = report(GHSA), production = report(), today = '2026-11-26' } = {},
  ) => [...auditFaults({ all, production }, explained, today)];

  it('is clean when what is found is explained', () => {
    expect(faults([explanation])).toEqual([]);
    expect(faults([], { all: report() })).toEqual([]);
  });

  it.each([
    ['is not explained', []],
    ['was explained until 2026-11-25', [{ ...explanation, until: '2026-11-25' }]],
    [
      'GHSA-dddd-dddd-dddd is explained, and nothing has it',
      [explanation, { ...explanation, advisory: 'GHSA-dddd-dddd-dddd' }],
    ],
  ])('fails when an advisory %s', (fault, explained) => {
    expect(faults(explained)).toEqual([expect.stringContaining(fault)]);
  });

  it('fails when an advisory that is explained for development reaches production', () => {
    const production = report(GHSA);
    expect(faults([explanation], { production })).toEqual([expect.stringContaining('reaches production')]);
    expect(faults([{ ...explanation, reaches: 'production' }], { production })).toEqual([]);
  });

  it('knows nothing when the registry does not answer', () => {
    expect(() => readReport('{"message":"405 Method Not Allowed"}')).toThrow(NoAudit);
    expect(() => readReport('')).toThrow(NoAudit);
    expect(readReport(JSON.stringify(report(GHSA)))).toEqual(report(GHSA));
  });

  it('has explanations that somebody can check', () => {
    const explained = JSON.parse(readFileSync(`${root}tools/audit/explained.json`, 'utf8')) as Explanation[];
    expect([...explanationFaults(explained)]).toEqual([]);
    expect([...explanationFaults([{ ...explanation, why: 'fine' }])]).toHaveLength(1);
    expect([...explanationFaults([explanation, explanation])]).toHaveLength(1);
  });
});

describe('a release', () => {
  it('publishes packages that need published ones only, each at one version', () => {
    expect([...releaseFaults(manifests, `v${version}`)]).toEqual([]);
    const order = publishOrder(manifests);
    expect(order.indexOf('@twinkey/contracts')).toBeLessThan(order.indexOf('@twinkey/consumer'));
    expect(order).toHaveLength(4);
  });

  it('is deployed and verified by what names its images at its version', () => {
    const files = readNaming();
    expect(files.flatMap(([file, text]) => [...oldVersions(file, text, version)])).toEqual([]);
    const named = files.flatMap(([file, text]) => [...oldVersions(file, text, '9.9.9')]);
    expect(named.some((fault) => fault.startsWith('deploy/kubernetes/base/rotator.yaml'))).toBe(true);
    expect(named.some((fault) => fault.includes('newTag'))).toBe(true);
    expect(named.some((fault) => fault.includes('gh release download'))).toBe(true);
  });

  const root: Manifest = { name: 'twinkey', version: '1.0.0', private: true };
  const sdk: Manifest = { name: 'sdk', version: '1.0.0', license: 'MIT', files: ['dist'] };
  it.each<[string, readonly Manifest[]]>([
    ['The tag is v1.0.0, and package.json says 1.0.1', [{ ...root, version: '1.0.1' }]],
    ['sdk is at 0.9.0', [root, { ...sdk, version: '0.9.0' }]],
    ['sdk asks for zod *', [root, { ...sdk, dependencies: { zod: '*' } }]],
    [
      'sdk needs core, which is not published',
      [root, { ...sdk, dependencies: { core: '1.0.0' } }, { name: 'core', version: '1.0.0', private: true }],
    ],
    ['sdk does not say which of its files', [root, { name: 'sdk', version: '1.0.0', license: 'MIT' }]],
  ])('does not begin when %s', (fault, others) => {
    expect([...releaseFaults(others, 'v1.0.0')]).toContainEqual(expect.stringContaining(fault));
  });

  it('is refused when packages need each other', () => {
    const circle = [
      root,
      { ...sdk, dependencies: { other: '1.0.0' } },
      { ...sdk, name: 'other', dependencies: { sdk: '1.0.0' } },
    ];
    expect(() => publishOrder(circle)).toThrow('need each other');
  });
});

describe('the images', () => {
  it('are built of programs that exist', () => {
    expect(IMAGES.filter((app) => !existsSync(`${root}apps/${app}/package.json`))).toEqual([]);
    expect(dockerfile).toContain(`# APP is a folder of apps/: ${IMAGES.join(', ')}.`);
  });
});

describe('the pages about releases', () => {
  const page = (name: string) => readFileSync(`${root}docs/${name}.md`, 'utf8');
  const [supply, release, verify] = [
    page('explanation/supply-chain'),
    page('how-to/release'),
    page('how-to/verify-a-release'),
  ];
  const workflow = readFileSync(`${root}.github/workflows/release.yaml`, 'utf8');

  it('name commands that there are', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...`${supply}${release}${verify}`.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set(['check:audit', 'check:release', 'sbom']));
    expect(named.filter((name = '') => !(name in scripts))).toEqual([]);
  });

  it('name the actions that the workflows use, at the same commit and version', () => {
    const used = [workflow, readFileSync(`${root}.github/workflows/ci.yaml`, 'utf8')].flatMap((text) =>
      [...text.matchAll(/uses: (\S+)@(\w{40}) # (\S+)/g)].map(
        ([, action, commit, version]) => `${action ?? ''} ${version ?? ''} ${commit ?? ''}`,
      ),
    );
    const told = [...release.matchAll(/^\| `(\S+)` +\| (v\S+) +\| `(\w{40})` \|$/gm)].map((row) =>
      row.slice(1).join(' '),
    );
    expect(told).toEqual([...new Set(used)].sort());
  });

  it('name the jobs of the workflow, the files of a release and its packages', () => {
    const jobs = [...workflow.matchAll(/^ {2}(\w+):$/gm)].map(([, job]) => job);
    const told = [...release.matchAll(/^\| `(\w+)` +\|.*\|.*\|$/gm)].map(([, job]) => job);
    expect(told).toEqual(jobs.slice(jobs.indexOf('test')));
    expect(workflow).toContain('files/images.txt files/*.cdx.json');
    for (const name of publishOrder(manifests)) expect(verify).toContain(`\`${name}\``);
  });

  it('show an explanation that would be taken', () => {
    const [, example = ''] = /```json\n([^]*?)```/.exec(supply) ?? [];
    expect([...explanationFaults(JSON.parse(example) as Explanation[])]).toEqual([]);
  });
});
