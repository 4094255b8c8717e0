// Loads the TypeScript of the mutated copy as it is: nothing is built before a mutant is judged.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform } from 'esbuild';

const transformed = new Map();
let copy;
let checkout;

export function initialize(places) {
  ({ copy, checkout } = places);
}

export function resolve(specifier, context, next) {
  if (specifier === '@jest/globals')
    return { url: new URL('./speaking.mjs', import.meta.url).href, shortCircuit: true };
  const source = sourceOf(specifier, context.parentURL);
  if (source === null) return next(specifier, context);
  // Whoever was loaded anew loads what it imports anew.
  const life = context.parentURL && new URL(context.parentURL).search;
  return { url: source + life, format: 'module', shortCircuit: true };
}

function sourceOf(specifier, parent = '') {
  const [, project] = /^@twinkey\/([a-z-]+)$/.exec(specifier) ?? [];
  if (project !== undefined) {
    // The links of node_modules lead out of the copy, to sources without mutants.
    const inside = [copy, checkout]
      .flatMap((root) => [`${root}/libs/${project}`, `${root}/apps/${project}`])
      .map((folder) => `${folder}/src/index.ts`)
      .find((file) => existsSync(file));
    return inside === undefined ? null : pathToFileURL(inside).href;
  }
  if (!specifier.startsWith('.') || !/\.ts($|\?)/.test(parent)) return null;
  const source = new URL(specifier.replace(/\.js$/, '.ts'), parent);
  source.search = '';
  return existsSync(source) ? source.href : null;
}

export async function load(url, context, next) {
  const file = url.startsWith('file:') ? fileURLToPath(url) : '';
  if (!file.endsWith('.ts')) return next(url, context);
  if (!transformed.has(file)) {
    const options = { loader: 'ts', format: 'esm', target: 'es2023', sourcefile: file };
    transformed.set(file, (await transform(readFileSync(file, 'utf8'), options)).code);
  }
  return { format: 'module', source: transformed.get(file), shortCircuit: true };
}
