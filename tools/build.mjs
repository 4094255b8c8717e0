// Builds what the launcher starts, and does nothing when nothing changed since the last time: even a build that finds
// everything in its cache costs a second or more, and that is a tenth of the way to the first completed rotation.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from './compile.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const stampFile = join(root, '.nx', 'launcher-built');
const sources = /\.(ts|mjs|json|sql)$/;
const notSources = new Set(['node_modules', 'dist', 'bundle', 'out-tsc', 'coverage', 'docs']);
const outputs = [
  'tools/dev/dist/start.js',
  'tools/dev/dist/demo.js',
  'apps/cli/dist/main.js',
  'examples/consumer-node/bundle/main.mjs',
  ...['scheduler', 'rotator', 'notifier', 'console', 'azure-local'].map(
    (app) => `apps/${app}/bundle/main.mjs`,
  ),
];

/** Every source with its size and time of change; whatever is edited, added or removed changes the digest. */
function digestOfSources() {
  const digest = createHash('sha256').update(process.version);
  const visit = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!notSources.has(entry.name)) visit(path);
      } else if (sources.test(entry.name)) {
        const { size, mtimeMs } = statSync(join(root, path));
        digest.update(`${path} ${size} ${mtimeMs}\n`);
      }
    }
  };
  for (const folder of ['apps', 'libs', 'tools', 'examples']) visit(folder);
  for (const file of ['package.json', 'package-lock.json', 'nx.json', 'tsconfig.base.json']) {
    digest.update(readFileSync(join(root, file)));
  }
  return digest.digest('hex');
}

const digest = digestOfSources();
const isBuilt =
  existsSync(stampFile) &&
  readFileSync(stampFile, 'utf8') === digest &&
  outputs.every((output) => existsSync(join(root, output)));

if (!isBuilt) {
  console.log('Building ...');
  if (await compile()) {
    mkdirSync(join(root, '.nx'), { recursive: true });
    writeFileSync(stampFile, digest);
  } else process.exitCode = 1;
}
