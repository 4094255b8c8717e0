import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LockedPackages } from './dependency-tree.js';
import type { Manifest } from './release.js';
import { root } from './repository.js';

/** package-lock.json, as far as it says what is installed. */
export function readLock(): LockedPackages {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: LockedPackages;
  };
  return packages;
}

/** The manifest of the repository, then those of its projects. */
export function readManifests(): readonly Manifest[] {
  const folders = Object.keys(readLock()).filter((path) => !path.includes('node_modules'));
  return folders.map(
    (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest,
  );
}

/** The files that may name a version of ours besides manifests: `[path, text]`. */
export function readNaming(): readonly (readonly [string, string])[] {
  return ['deploy', 'docker', 'docs/how-to', 'apps/cli/src/init'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(yaml|md|env|ts)$|Dockerfile$/.test(path))
      .map((path): [string, string] => [`${folder}/${path}`, readFileSync(join(root, folder, path), 'utf8')]),
  );
}
