// The package as others get it.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';

jest.setTimeout(240_000); // a build and a report of types on a busy machine

const execute = promisify(execFile);
const library = fileURLToPath(new URL('..', import.meta.url));
const workspace = fileURLToPath(new URL('../../..', import.meta.url));
const env = { ...process.env, NODE_OPTIONS: '' };

const run = (program: string, parameters: readonly string[], cwd = library) =>
  execute(program, [...parameters], { cwd, env });

beforeAll(async () => {
  await run(`${workspace}node_modules/.bin/tsc`, ['--build', 'tsconfig.lib.json']);
});

interface Manifest {
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Entry {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Every package that comes with the library, as the lock file has them. */
function installed(): readonly string[] {
  const lock = JSON.parse(readFileSync(`${workspace}package-lock.json`, 'utf8')) as {
    packages: Record<string, Entry>;
  };
  const found = new Set<string>();
  const take = (place: string): void => {
    const entry = lock.packages[place];
    const at = entry?.link === true ? (entry.resolved ?? '') : place;
    if (found.has(at)) return;
    found.add(at);
    for (const name of Object.keys(lock.packages[at]?.dependencies ?? {})) take(nearest(at, name));
  };
  const nearest = (from: string, name: string): string => {
    for (
      let at = from.startsWith('node_modules/') ? from : '';
      ;
      at = at.replace(/\/?node_modules\/(?!.*\/node_modules\/).*$/, '')
    ) {
      const place = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
      if (place in lock.packages) return place;
      if (at === '') throw new Error(`${name} of ${from} is not in the lock file`);
    }
  };
  take('libs/consumer');
  found.delete('libs/consumer');
  return [...found].map((place) => place.replace(/^.*node_modules\//, ''));
}

describe('the published package', () => {
  it('shows its users what its report says, no more and no less', async () => {
    await run(process.execPath, ['report-api.mjs', '--check']);
  });

  it('has what runs and what explains, and nothing of its tests', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--offline']);
    const [{ files }] = JSON.parse(stdout) as [{ files: readonly { path: string }[] }];
    const paths = files.map(({ path }) => path);
    expect(
      paths.filter((path) => !/^(dist\/.*\.(js|d\.ts)|package\.json|README\.md|LICENSE)$/.test(path)),
    ).toEqual([]);
    expect(paths.filter((path) => /spec|^dist\/testing/.test(path))).toEqual([]);
    expect(paths).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'dist/index.js', 'dist/fake/index.js']),
    );
  });

  it('needs nothing of this repository that is not published in the same version', () => {
    const manifest = (folder: string) =>
      JSON.parse(readFileSync(`${workspace}libs/${folder}/package.json`, 'utf8')) as Manifest;
    const needed = (folder: string): readonly string[] =>
      Object.entries(manifest(folder).dependencies ?? {}).flatMap(([name, version]) => {
        if (!name.startsWith('@twinkey/')) return [];
        const other = name.replace('@twinkey/', '');
        const { private: isPrivate = false, ...published } = manifest(other);
        expect({ name, isPrivate, version: published.version }).toEqual({ name, isPrivate: false, version });
        return [other, ...needed(other)];
      });
    expect([...new Set(needed('consumer'))].sort()).toEqual(['contracts', 'service-bus']);
  });

  it('is imported by name, whole and for tests', async () => {
    const program = `
      const { connect } = await import('@twinkey/consumer');
      const { fakeTwinkey } = await import('@twinkey/consumer/testing');
      const twinkey = await fakeTwinkey({ accounts: { 'speech-weu': 'one' } });
      await twinkey.switchTo('speech-weu', 'two');
      console.log(typeof connect, twinkey.account('speech-weu').credential.key);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program]);
    expect(stdout).toBe('function two\n');
  });

  it('brings what Azure SDKs bring anyway, and no framework', () => {
    const packages = installed();
    expect(packages.filter((name) => /^(@nestjs\/.*|rxjs|express|fastify|axios|kysely)$/.test(name))).toEqual(
      [],
    );
    expect(packages.length).toBeLessThan(120);
    const readme = readFileSync(`${library}README.md`, 'utf8');
    expect(readme).toContain(`${packages.length} packages`);
  });
});
