// What is inside an image, as CycloneDX 1.6: the packages of its program, and the image that it stands on. `npm sbom` is
// no help: for one workspace it leaves out every package that another one needs, too (78 of 219 for the rotator).
import { createHash } from 'node:crypto';
import { installedFor, type Installed, type LockedPackages } from './dependency-tree.js';

export interface Component {
  readonly type: 'application' | 'container' | 'library';
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly scope?: 'required' | 'optional';
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly object[];
}

export interface BillOfMaterials {
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/**
 * The bill of the image of `apps/<app>`. It follows from the lock file and the Dockerfile alone: the same sources give
 * the same bill, byte for byte.
 */
export function billOf(
  app: string,
  { packages, dockerfile }: { packages: LockedPackages; dockerfile: string },
): BillOfMaterials {
  const installed = installedFor(`apps/${app}`, packages);
  const [program] = installed;
  if (program === undefined) throw new Error(`apps/${app} is no program.`);
  const components = byReference([baseImage(dockerfile), ...installed.slice(1).map(componentOf)]);
  const image: Component = { ...componentOf(program), type: 'application' };
  const content = JSON.stringify([image, components]);
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(content)}`,
    version: 1,
    metadata: { component: image },
    components,
    dependencies: dependenciesOf(installed),
  };
}

function byReference(components: readonly Component[]): readonly Component[] {
  const found = new Map(components.map((component) => [component['bom-ref'], component]));
  return [...found.values()].sort((one, other) => (one['bom-ref'] < other['bom-ref'] ? -1 : 1));
}

function componentOf({ name, entry }: Installed): Component {
  const purl = purlOf(name, entry.version);
  const [, group, plain] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [];
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group === undefined ? {} : { group }),
    name: plain ?? name,
    version: entry.version ?? '',
    purl,
    scope: entry.optional === true ? 'optional' : 'required',
    ...hashesOf(entry.integrity),
    ...licensesOf(entry.license),
  };
}

function purlOf(name: string, version = ''): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** `sha512-…` in base64 becomes hex. */
function hashesOf(integrity: string | undefined): Pick<Component, 'hashes'> {
  const [, bits, content] = /^sha(256|384|512)-(.+)$/.exec(integrity ?? '') ?? [];
  if (bits === undefined || content === undefined) return {};
  return { hashes: [{ alg: `SHA-${bits}`, content: Buffer.from(content, 'base64').toString('hex') }] };
}

function licensesOf(license: string | undefined): Pick<Component, 'licenses'> {
  if (license === undefined) return {};
  if (/\b(AND|OR|WITH)\b/.test(license)) return { licenses: [{ expression: license }] };
  return { licenses: [{ license: /^[\w.+-]+$/.test(license) ? { id: license } : { name: license } }] };
}

/** The last FROM of a Dockerfile: what the program runs on. */
function baseImage(dockerfile: string): Component {
  const [, name, tag, digest] =
    [...dockerfile.matchAll(/^FROM ([^\s:@]+):([^\s@]+)@sha256:([0-9a-f]{64})/gm)].at(-1) ?? [];
  if (name === undefined || digest === undefined)
    throw new Error('The Dockerfile stands on no image that is fixed by digest.');
  const purl = `pkg:oci/${name.slice(name.lastIndexOf('/') + 1)}@sha256%3A${digest}?repository_url=${encodeURIComponent(name)}&tag=${tag ?? ''}`;
  return {
    type: 'container',
    'bom-ref': purl,
    name,
    version: `sha256:${digest}`,
    purl,
    hashes: [{ alg: 'SHA-256', content: digest }],
  };
}

function dependenciesOf(installed: readonly Installed[]): BillOfMaterials['dependencies'] {
  const references = new Map(installed.map(({ path, name, entry }) => [path, purlOf(name, entry.version)]));
  const needs = new Map<string, Set<string>>();
  for (const { path, needs: paths } of installed) {
    const reference = references.get(path) ?? '';
    const known = needs.get(reference) ?? new Set();
    for (const each of paths) known.add(references.get(each) ?? '');
    needs.set(reference, known);
  }
  return [...needs]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([ref, others]) => ({ ref, dependsOn: [...others].sort() }));
}

/** A UUID of version 8, whose bits are those of a hash. */
function uuidOf(content: string): string {
  const digits = createHash('sha256').update(content).digest('hex');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}
