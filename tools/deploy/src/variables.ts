// The variables of the installation, as .env.example lists them: it is generated from the services' own schema.
import { readFileSync } from 'node:fs';
import { root } from './repository.js';

export interface KnownVariable {
  readonly name: string;
  /** Written out in .env.example, because there is no default. */
  readonly required: boolean;
  /** `Every service`, `Identity`, `Rotator` … */
  readonly section: string;
}

export function knownVariables(): readonly KnownVariable[] {
  const known: KnownVariable[] = [];
  let section = '';
  for (const line of readFileSync(`${root}.env.example`, 'utf8').split('\n')) {
    section = /^# --- (.*)$/.exec(line)?.[1] ?? section;
    const [, comment, name] = /^(#?)([A-Z][A-Z0-9_]*)=/.exec(line) ?? [];
    if (name !== undefined) known.push({ name, required: comment === '', section });
  }
  return known;
}
