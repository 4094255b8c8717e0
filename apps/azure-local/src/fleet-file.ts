import { readFileSync } from 'node:fs';
import { FleetInvalid, parseFleet, type AccountDefinition } from '@twinkey/azure-local';
import yaml from 'yaml';
import { Misuse } from './usage.js';

/** JSON is YAML too. Throws {@link Misuse} naming the file, the field and the rule. */
export function readFleetFile(file: string): readonly AccountDefinition[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Misuse(`--fleet ${file}: the file cannot be read.`, { cause });
  }
  try {
    return parseFleet(yaml.parse(text));
  } catch (cause) {
    const known =
      cause instanceof FleetInvalid || (cause instanceof Error && cause.name.startsWith('YAML'));
    if (!known) throw cause;
    throw new Misuse(`--fleet ${file}: ${cause.message}`, { cause });
  }
}
