// What `npm ci --omit=dev -w apps/<app>` installs for one program, read from the lock file.

/** An entry of `packages` in package-lock.json. */
export interface LockedPackage {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  /** A folder of this repository. */
  readonly link?: true;
  readonly resolved?: string;
  readonly dev?: true;
  readonly optional?: true;
  /** npm would run a script of it when it installs it. */
  readonly hasInstallScript?: true;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** One package where it is installed, and where the packages are that it asks for. */
export interface Installed {
  readonly path: string;
  readonly name: string;
  readonly entry: LockedPackage;
  readonly needs: readonly string[];
}

/** The packages of a program, its own first. Throws when the lock file lacks one that is needed. */
export function installedFor(folder: string, packages: LockedPackages): readonly Installed[] {
  const found = new Map<string, Installed>();
  const waiting = [folder];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (found.has(path)) continue;
    const entry = packages[path];
    if (entry === undefined) throw new Error(`package-lock.json has no ${path}: run npm install.`);
    const needs = [...needsOf(path, entry, packages)];
    found.set(path, { path, name: entry.name ?? nameIn(path), entry, needs });
    waiting.push(...needs);
  }
  return [...found.values()];
}

function* needsOf(path: string, entry: LockedPackage, packages: LockedPackages): Generator<string> {
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = entry;
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    const place = placeOf(name, path, packages);
    const mayBeAbsent = name in optionalDependencies || entry.peerDependenciesMeta?.[name]?.optional === true;
    if (place !== undefined) yield packages[place]?.link === true ? (packages[place].resolved ?? '') : place;
    else if (!mayBeAbsent) throw new Error(`package-lock.json lacks ${name}, which ${path} needs.`);
  }
}

/** As Node looks for it: beside the one that asks, then in every folder above. */
function placeOf(name: string, from: string, packages: LockedPackages): string | undefined {
  const folders = from.split('/');
  for (let length = folders.length; length >= 0; length -= 1) {
    if (folders[length - 1] === 'node_modules') continue;
    const place = [...folders.slice(0, length), 'node_modules', name].join('/');
    if (place in packages) return place;
  }
  return undefined;
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
