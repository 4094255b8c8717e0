// Reads what images are built from and how they are run together. Nothing is built and nothing is run.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DockerfileParser } from 'dockerfile-ast';
import { parse } from 'yaml';
import { SHARDS } from './generated.js';
import { dockerfileFaults, isKeptOut, isPinned, type Instruction } from './image-rules.js';
import { root } from './repository.js';
import { knownVariables } from './variables.js';

const dockerfile = readFileSync(`${root}docker/Dockerfile`, 'utf8');

function instructionsOf(text: string): readonly Instruction[] {
  return DockerfileParser.parse(text)
    .getInstructions()
    .map((instruction) => ({
      keyword: instruction.getKeyword(),
      text: instruction.getRawArgumentsContent() ?? '',
    }));
}

describe('the image', () => {
  it('is built from what is fixed, holds no secret, and runs as nobody in particular', () => {
    expect([...dockerfileFaults(instructionsOf(dockerfile))]).toEqual([]);
  });

  it.each([
    ['is not fixed by digest', /@sha256:[0-9a-f]+(?= AS)/, ''],
    ['is not fixed by digest', /14d42e25/, 'latest'],
    ['its program runs as root', /USER .*/, ''],
    ['its program runs as root', /USER .*/, 'USER 0'],
    ['USER nonroot: Kubernetes can only see', /USER .*/, 'USER nonroot'],
    [
      'ENV DATABASE_URL: whoever has the image',
      'NODE_ENV=production',
      'NODE_ENV=production DATABASE_URL=postgres://x',
    ],
    ['ARG NPM_TOKEN: whoever has the image', 'ARG APP', 'ARG NPM_TOKEN'],
    ['COPY takes files', 'COPY . .', 'ADD https://example.com/x.tar.gz .'],
    ['its command needs a shell', /CMD .*/, 'CMD node dist/main.js'],
    ['runs commands in its last stage', 'USER ', 'RUN true\nUSER '],
    ['it has one stage', /^FROM[^]*?(?=FROM)/m, ''],
  ])('would be found out: %s (%#)', (fault, before, after) => {
    const spoilt = dockerfile.replace(before, after);
    expect(spoilt).not.toBe(dockerfile);
    expect([...dockerfileFaults(instructionsOf(spoilt))]).toContainEqual(expect.stringContaining(fault));
  });

  it('is built and run by the same Node', () => {
    expect([...dockerfile.matchAll(/^FROM \S*?node(?:js)?:?(\d+)/gm)].map(([, major]) => major)).toEqual([
      '24',
      '24',
    ]);
  });

  it('installs what a program needs, with no script of a package', () => {
    const installs = [...dockerfile.matchAll(/^RUN (npm ci .*)$/gm)].map(([, command]) => command);
    expect(installs).toEqual([
      'npm ci --ignore-scripts',
      'npm ci --ignore-scripts --omit=dev -w "apps/${APP}"',
    ]);
  });

  it('takes what it needs of the repository, and nothing else', () => {
    const ignore = readFileSync(`${root}.dockerignore`, 'utf8');
    const taken = [
      'package.json',
      'package-lock.json',
      'tsconfig.base.json',
      'apps/rotator/src/main.ts',
      'apps/rotator/migrations/0001-account.sql',
      'apps/cli/bin/twinkey.mjs',
      'libs/journal/package.json',
      'libs/journal/tsconfig.lib.json',
      'examples/consumer-node/package.json',
      'tools/deploy/package.json',
    ];
    const left = [
      '.env',
      '.git/config',
      '.twinkey/azure/azure.env',
      'apps/rotator/.env.local',
      'apps/rotator/dist/main.js',
      'apps/rotator/src/turns.spec.ts',
      'docs/glossary.md',
      'libs/journal/node_modules/pg/index.js',
      'node_modules/pg/index.js',
      'tools/deploy/src/index.ts',
    ];
    expect(taken.filter((path) => isKeptOut(path, ignore))).toEqual([]);
    expect(left.filter((path) => !isKeptOut(path, ignore))).toEqual([]);
  });
});

interface ComposeService {
  readonly image: string;
  readonly build?: {
    readonly context: string;
    readonly dockerfile: string;
    readonly args: { readonly APP: string };
  };
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly unknown[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

describe('the compose file', () => {
  const text = readFileSync(`${root}docker/compose.yaml`, 'utf8');
  const { services } = parse(text, { merge: true }) as { services: Readonly<Record<string, ComposeService>> };
  const twinkey = ['scheduler', 'rotator', 'notifier', 'console'];
  const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);
  const environmentOf = (name: string) => services[name]?.environment ?? {};

  it('builds every program that it names from its own folder, and takes everything else by digest', () => {
    expect(ours.map(([name]) => name).toSorted()).toEqual(['azure', 'cli', ...twinkey].toSorted());
    for (const [, { build }] of ours) {
      expect(existsSync(join(root, 'docker', build?.context ?? '', build?.dockerfile ?? ''))).toBe(true);
      expect(existsSync(`${root}apps/${build?.args.APP ?? ''}/package.json`)).toBe(true);
    }
    const theirs = Object.values(services).filter(({ build }) => build === undefined);
    for (const { image } of theirs) expect([image, isPinned(image)]).toEqual([image, true]);
  });

  it('confines our programs as a cluster does, and opens no port of this machine', () => {
    for (const [name, { user, read_only, cap_drop }] of ours)
      expect([name, user, read_only, cap_drop]).toEqual([name, '65532:65532', true, ['ALL']]);
    for (const { ports } of Object.values(services)) expect(ports).toBeUndefined();
  });

  it('sets no variable that the services do not know, and every one that they cannot do without', () => {
    const known = knownVariables();
    for (const name of twinkey) {
      const set = Object.keys(environmentOf(name));
      expect(set.filter((variable) => !known.some((one) => one.name === variable))).toEqual([]);
      const needed = known
        .filter(
          ({ required, section }) => required && ['every service', name].includes(section.toLowerCase()),
        )
        .map((one) => one.name);
      expect(set).toEqual(expect.arrayContaining([...needed, 'SERVICEBUS_CONNECTION_STRING']));
    }
  });

  it('keeps secrets out: whoever starts it gives them', () => {
    expect(environmentOf('rotator')['TWINKEY_FINGERPRINT_SALT']).toMatch(/^\$\{TWINKEY_FINGERPRINT_SALT:\?/);
    expect(environmentOf('sql')['MSSQL_SA_PASSWORD']).toMatch(/^\$\{MSSQL_SA_PASSWORD:\?/);
    expect(environmentOf('sql')['ACCEPT_EULA']).toMatch(/^\$\{ACCEPT_EULA:\?/);
  });

  it('lets services that ask nobody who they are listen on the loopback that they share, and nowhere else', () => {
    for (const name of [...twinkey, 'cli']) {
      expect([name, services[name]?.network_mode]).toEqual([name, 'service:azure']);
      expect(environmentOf(name)).not.toHaveProperty('TWINKEY_HTTP_HOST');
    }
  });

  it('feeds the official emulator with the entities of the topology', () => {
    expect(services['servicebus']?.volumes).toContain(
      './servicebus-config.json:/ServiceBus_Emulator/ConfigFiles/Config.json:ro',
    );
    for (const name of twinkey)
      expect(environmentOf(name)['TWINKEY_KEY_CHANGED_SHARDS']).toBe(String(SHARDS.compose));
  });

  it('runs the same database as a cluster of development', () => {
    const manifest = readFileSync(`${root}deploy/kubernetes/overlays/dev/postgres.yaml`, 'utf8');
    expect(manifest).toContain(`image: ${services['postgres']?.image ?? ''}`);
  });
});
