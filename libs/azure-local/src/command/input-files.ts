import { readFileSync } from 'node:fs';
import { FleetInvalid, parseFleet } from '../host/fleet.js';
import type { AccountDefinition } from '../resource-manager/state.js';
import type { Topology } from '../service-bus/state/topology.js';
import { Misuse } from './misuse.js';

/** Throws {@link Misuse} naming the file, the field and the rule. */
export function readFleetFile(file: string): readonly AccountDefinition[] {
  const value = readJson('--fleet', file);
  try {
    return parseFleet(value);
  } catch (cause) {
    if (!(cause instanceof FleetInvalid)) throw cause;
    throw new Misuse(`--fleet ${file}: ${cause.message}`, { cause });
  }
}

/** Looks at the outermost shape only; the bus refuses the rest by name. */
export function readTopologyFile(file: string): Topology {
  const value = readJson('--topology', file) as Partial<Topology> | null;
  if (Array.isArray(value?.UserConfig?.Namespaces)) return value as Topology;
  throw new Misuse(`--topology ${file}: { "UserConfig": { "Namespaces": [ … ] } } was expected.`);
}

function readJson(flag: string, file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Misuse(`${flag} ${file}: the file cannot be read.`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    throw new Misuse(`${flag} ${file}: the file is not JSON (${message}).`, { cause });
  }
}
