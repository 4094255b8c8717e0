import { join } from 'node:path';
import { serviceBusAccess } from '../service-bus/entra-access.js';
import { startServiceBus, type LogEntry, type ServiceBusServer } from '../service-bus/server.js';
import type { Log } from './plugin.js';
import type { Services } from './services.js';
import type { StartOptions } from './start.js';
import type { State } from './state.js';

const sasKeyName = 'RootManageSharedAccessKey';

/** Starts the namespace over the folder's state, with Entra and one key to admit clients. */
export async function openServiceBus(
  options: StartOptions,
  state: State,
  { directory, tokens, clock }: Services,
  log: Log,
  port: number,
): Promise<ServiceBusServer> {
  const { cert, key } = state.certificates;
  return await startServiceBus({
    port,
    tls: { key, cert },
    dataDir: join(options.dataDir, 'service-bus'),
    // Asked each time: a restart of Entra may have replaced who judges.
    verifyToken: (presented) => serviceBusAccess(directory, tokens(), 'local')(presented),
    sas: [{ keyName: sasKeyName, key: state.serviceBusKey }],
    clock: clock.now,
    // The jumps of the host's own clock are told; a clock underneath that a test holds may move at any time.
    clockIsTold: options.clock === undefined,
    ...(options.topology === undefined ? {} : { topology: options.topology }),
    log: (entry) => {
      if (entry.level === 'warn' || entry.level === 'error') log.warn(`Service Bus: ${lineOf(entry)}`);
    },
  });
}

/** With a key that may do everything, over plain TCP. A secret. */
export function connectionString(port: number, key: string): string {
  const access = `SharedAccessKeyName=${sasKeyName};SharedAccessKey=${key}`;
  return `Endpoint=sb://localhost:${port};${access};UseDevelopmentEmulator=true`;
}

const secretFields = /token|secret|signature|sas|key|credential|password|authorization|body/i;

/** A log entry as one line: its message and its fields, without what might be a secret. */
export function lineOf({ level: _level, message, ...fields }: LogEntry): string {
  const shown = Object.entries(fields)
    .filter(([name, value]) => value !== undefined && !secretFields.test(name))
    .map(([name, value]) => `${name}=${textOf(value)}`);
  return shown.length === 0 ? message : `${message} (${shown.join(', ')})`;
}

function textOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
