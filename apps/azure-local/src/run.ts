import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { dotenv, replaceFile, start, type AzureLocal } from '@twinkey/azure-local';
import { readFleetFile, readTopologyFile } from './input-files.js';
import { Misuse, parseCommandLine, usage, type Settings } from './usage.js';

export interface Surroundings {
  readonly say: (line: string) => unknown;
  readonly complain: (line: string) => unknown;
  /** Resolves when it is time to end; also counts when that happens during the start. */
  readonly stopped: Promise<void>;
}

/** Runs until told to stop. Answers the exit code: 2 for a mistake of the caller's, 1 for anything else. */
export async function run(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    const settings = parseCommandLine(args);
    if (settings === 'help') around.say(usage);
    else await serve(settings, around);
    return 0;
  } catch (error) {
    const isTheirs = error instanceof Error && ['Misuse', 'PortTaken', 'FolderInUse'].includes(error.name);
    around.complain(
      error instanceof Error ? (isTheirs ? error.message : (error.stack ?? '')) : String(error),
    );
    return isTheirs ? 2 : 1;
  }
}

async function serve(settings: Settings, { say, complain, stopped }: Surroundings): Promise<void> {
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
