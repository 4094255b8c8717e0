// What must hold of the manifests before a version is released, and in which order the packages are published.

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly files?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What keeps `tag` from being released, as sentences. `manifests`: the root's first, then all of the workspace. */
export function* releaseFaults(manifests: readonly Manifest[], tag: string): Generator<string> {
  const [root] = manifests;
  if (root === undefined) return;
  if (tag !== `v${root.version}`) yield `The tag is ${tag}, and package.json says ${root.version}.`;
  for (const { name, version } of manifests)
    if (version !== root.version) yield `${name} is at ${version}, and package.json at ${root.version}.`;
  const published = publishedOf(manifests);
  const ours = new Map(manifests.map((one) => [one.name, one]));
  for (const { name, license, files, dependencies = {} } of published) {
    if (license === undefined) yield `${name} is published without a license.`;
    if (files === undefined) yield `${name} does not say which of its files are published.`;
    for (const [other, range] of Object.entries(dependencies)) {
      if (!/^\d+\.\d+\.\d+$/.test(range)) yield `${name} asks for ${other} ${range}, not for one version.`;
      const found = ours.get(other);
      if (found?.private) yield `${name} needs ${other}, which is not published.`;
      else if (found !== undefined && range !== found.version)
        yield `${name} asks for ${other} ${range}, and it is at ${found.version}.`;
    }
  }
}

/** The packages that are published, each after those that it needs. */
export function publishOrder(manifests: readonly Manifest[]): readonly string[] {
  const waiting = new Map(publishedOf(manifests).map((one) => [one.name, one]));
  const order: string[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(({ dependencies = {} }) =>
      Object.keys(dependencies).every((other) => !waiting.has(other)),
    );
    if (ready.length === 0) throw new Error(`${[...waiting.keys()].join(', ')} need each other.`);
    for (const { name } of ready) {
      waiting.delete(name);
      order.push(name);
    }
  }
  return order;
}

function publishedOf(manifests: readonly Manifest[]): readonly Manifest[] {
  return manifests.slice(1).filter((one) => one.private !== true);
}

/** Where a file names something of ours at a version: its image, the tag of it, a release. */
const NAMED = [
  /\btwinkey\/[\w-]+:(\d+\.\d+\.\d+)\b/g,
  /\bnewTag: (\d+\.\d+\.\d+)\b/g,
  /(?:\bgh release download|--branch) v(\d+\.\d+\.\d+)\b/g,
];

/** What a file names at another version; `file` is how it is called in the sentence. */
export function* oldVersions(file: string, text: string, version: string): Generator<string> {
  for (const pattern of NAMED)
    for (const [whole, named] of text.matchAll(pattern))
      if (named !== version) yield `${file} names ${whole}, not ${version}.`;
}
