import { readFileSync } from 'node:fs';

/** Reads the lines `NAME=value` and `NAME='value'` that the embedded Azure writes. */
export function readEnvFile(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value = ''] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
      return [name, value.startsWith("'") ? value.slice(1, -1).replaceAll(`'\\''`, "'") : value];
    }),
  );
}
