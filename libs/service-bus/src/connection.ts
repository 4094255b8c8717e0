import type { TokenCredential } from '@azure/core-auth';
import type { Bus, BusLog } from './bus.js';

/** Either a connection string, or a namespace (then a credential is needed too). */
export interface BusSettings {
  readonly connectionString?: string;
  /** `x.servicebus.windows.net`, or `localhost:PORT`. */
  readonly namespace?: string;
  /** Where the namespace is really reached, e.g. `sb://localhost:PORT`: names and tokens stay those of the namespace. */
  readonly endpoint?: string;
}

export interface BusOptions {
  readonly log?: BusLog;
}

/** Opens nothing yet: links are made when they are used. Throws a PermanentFault for settings that cannot work. */
export function connectBus(settings: BusSettings, credential?: TokenCredential, options: BusOptions = {}): Bus {
  void settings;
  void credential;
  void options;
  throw new Error('not connected yet');
}
