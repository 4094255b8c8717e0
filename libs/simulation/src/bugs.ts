// Bugs that are put in on purpose, around production code and never in it: a simulation that does not find them would
// find nothing.
import type { AzurePorts } from './ports.js';
import type { World } from './world.js';

export interface Bug {
  readonly name: string;
  /** Before the world begins. */
  apply(world: World): void;
  /** The rotators' way to Azure, bent. */
  readonly ports?: (ports: AzurePorts) => AzurePorts;
}
