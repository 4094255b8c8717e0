// What the sources say about themselves: the unions and codes that the reference pages must cover, and the sentences
// that stand above a contract. Read as text, so that no page needs to import a service.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export function readSource(path) {
  return readFileSync(join(root, path), 'utf8');
}

/** Sources whose faults people may meet: everything but the embedded Azure, the CLI and what only tests use. */
function* productSources() {
  for (const kind of ['apps', 'libs']) {
    for (const project of readdirSync(join(root, kind))) {
      if (/azure-local|postgres-local|testing|simulation|model|e2e|^cli$/.test(project)) continue;
      const folder = join(root, kind, project, 'src');
      for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.spec.ts')) continue;
        yield readFileSync(join(entry.parentPath, entry.name), 'utf8');
      }
    }
  }
}

/** The members of `export type NAME = | 'one' | 'two';` */
export function unionIn(path, name) {
  const [, body = ''] = new RegExp(`export type ${name} =([^;]+);`).exec(readSource(path)) ?? [];
  return quoted(body);
}

/** The members of `export const NAME = z.enum(['one', 'two']);` */
export function enumIn(path, name) {
  const [, body = ''] =
    new RegExp(`export const ${name} = z\\.enum\\(\\[([^\\]]+)`).exec(readSource(path)) ?? [];
  return quoted(body);
}

/** Codes of faults: those of the `new …Fault('code'` in all sources, and those of the adapters' tables. */
export function faultCodes() {
  const codes = new Set();
  for (const text of productSources()) {
    for (const [, code] of text.matchAll(/new (?:TransientFault|PermanentFault|Interrupted)\(\s*'([\w-]+)'/g))
      codes.add(code);
  }
  for (const [, code] of readSource('libs/service-bus/src/faults.ts').matchAll(/\bcode: '([a-z-]+)'/g))
    codes.add(code);
  for (const [, code] of readSource('libs/key-store/src/faults.ts').matchAll(/\bcode: '([a-z-]+)'/g))
    codes.add(code);
  for (const [, code] of readSource('libs/journal/src/faults.ts').matchAll(
    /\[\s*'([a-z]+(?:-[a-z]+)*)',\s*'/g,
  ))
    codes.add(code);
  return [...codes].sort();
}

/** Codes of problem answers over HTTP that are not faults. */
export function problemCodes() {
  const codes = new Set();
  for (const text of productSources()) {
    for (const [, code] of text.matchAll(/new HttpProblem\(\s*\d+,\s*'([\w-]+)'/g)) codes.add(code);
    for (const [, code] of text.matchAll(/bodyOf\(\s*\d+,\s*'([\w-]+)'/g)) codes.add(code);
  }
  return [...codes].sort();
}

/** The exit codes of the CLI. */
export function exitCodes() {
  const [, body = ''] =
    /export const EXIT = \{([^}]+)\}/.exec(readSource('apps/cli/src/exit-codes.ts')) ?? [];
  return [...body.matchAll(/: (\d+)/g)].map(([, code]) => code);
}

function quoted(text) {
  return [...text.matchAll(/'([\w-]+)'/g)].map(([, member]) => member);
}
