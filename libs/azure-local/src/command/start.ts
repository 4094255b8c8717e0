import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { dotenv, parseExtraVariable, type ExtraVariables } from '../host/environment.js';
import { replaceFile } from '../host/persist.js';
import { start, type AzureLocal } from '../host/start.js';
import { noMoreThan, readArguments } from './arguments.js';
import { readFleetFile, readTopologyFile } from './input-files.js';
import { Misuse } from './misuse.js';
import type { Surroundings } from './run.js';

const options = {
  data: { type: 'string' },
  'env-file': { type: 'string' },
  variable: { type: 'string', multiple: true },
  fleet: { type: 'string' },
  topology: { type: 'string' },
  port: { type: 'string' },
  'vault-port': { type: 'string' },
  'service-bus-port': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

export interface Settings {
  readonly dataDir: string;
  readonly envFile: string | undefined;
  readonly extraVariables: ExtraVariables;
  readonly fleetFile: string | undefined;
  readonly topologyFile: string | undefined;
  readonly port: number | undefined;
  readonly vaultPort: number | undefined;
  readonly serviceBusPort: number | undefined;
}

/** What an application that carries this command fills in where the command line says nothing. */
export interface Defaults {
  readonly dataDir?: string;
  readonly extraVariables?: ExtraVariables;
}

/** Throws {@link Misuse}; `help` when that was asked for. */
export function parseStart(args: readonly string[], defaults: Defaults): Settings | 'help' {
  const { values, positionals } = readArguments(args, options);
  noMoreThan(0, positionals);
  if (values.help === true) return 'help';
  return {
    dataDir: values.data ?? defaults.dataDir ?? defaultDataDir,
    envFile: values['env-file'],
    extraVariables: {
      ...defaults.extraVariables,
      ...Object.fromEntries((values.variable ?? []).map(parseExtraVariable)),
    },
    fleetFile: values.fleet,
    topologyFile: values.topology,
    port: port('--port', values.port),
    vaultPort: port('--vault-port', values['vault-port']),
    serviceBusPort: port('--service-bus-port', values['service-bus-port']),
  };
}

export const defaultDataDir = '.azure-local';

/** Runs the emulator until told to stop. */
export async function serve(settings: Settings, { say, complain, stopped }: Surroundings): Promise<void> {
  const { fleetFile, topologyFile, envFile } = settings;
  if (envFile !== undefined && !existsSync(dirname(resolve(envFile)))) {
    throw new Misuse(`--env-file ${envFile}: its folder does not exist; make it first.`);
  }
  const fleet = fleetFile === undefined ? undefined : readFleetFile(fleetFile);
  const topology = topologyFile === undefined ? undefined : readTopologyFile(topologyFile);
  const azure = await start({
    dataDir: settings.dataDir,
    ports: {
      origin: settings.port,
      vaults: { local: settings.vaultPort },
      serviceBus: settings.serviceBusPort,
    },
    extraVariables: settings.extraVariables,
    ...(fleet === undefined ? {} : { fleet }),
    ...(topology === undefined ? {} : { topology }),
    log: { info: say, warn: complain },
  });
  try {
    // Only now: whoever waits for the file finds everything listening.
    if (envFile !== undefined) replaceFile(envFile, dotenv(azure.environment()));
    greet(azure, settings, say);
    await stopped;
  } finally {
    await azure.close();
  }
}

function greet(azure: AzureLocal, { dataDir, envFile }: Settings, say: Surroundings['say']): void {
  const { origin, vaults, serviceBus } = azure.endpoints;
  say('Azure is here:');
  say(`  Entra, Resource Manager, AI   ${origin}`);
  for (const url of Object.values(vaults)) say(`  Key Vault                     ${url}`);
  say(`  Service Bus                   ${serviceBus} (AMQP, WebSocket, administration)`);
  say(`  accounts                      ${azure.control.accounts.names().join(', ')}`);
  say(`  kept in                       ${resolve(dataDir)}`);
  if (envFile !== undefined) say(`  variables written to          ${resolve(envFile)}`);
  say('Stop it with Ctrl+C.');
}

function port(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new Misuse(`${flag} ${text}: a port is a number from 0 (any free one) to 65535.`);
}
