import { resolve } from 'node:path';
import { dotenv, PortTaken, replaceFile, start, type AzureLocal } from '@twinkey/azure-local';
import { readFleetFile, readTopologyFile } from './input-files.js';
import { Misuse, parseCommandLine, usage, type Settings } from './usage.js';

const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  const settings = parseCommandLine(process.argv.slice(2));
  if (settings === 'help') say(usage);
  else await run(settings);
} catch (error) {
  const isTheirs = error instanceof Misuse || error instanceof PortTaken;
  process.stderr.write(
    `${isTheirs ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = isTheirs ? 2 : 1;
}

async function run(settings: Settings): Promise<void> {
  const fleet = settings.fleetFile === undefined ? undefined : readFleetFile(settings.fleetFile);
  const topology = settings.topologyFile === undefined ? undefined : readTopologyFile(settings.topologyFile);
  const azure = await start({
    dataDir: settings.dataDir,
    ports: {
      origin: settings.port,
      vaults: { local: settings.vaultPort },
      serviceBus: settings.serviceBusPort,
    },
    ...(fleet === undefined ? {} : { fleet }),
    ...(topology === undefined ? {} : { topology }),
    log: { info: say, warn: (line) => process.stderr.write(`${line}\n`) },
  });
  // Before the file appears: whoever waits for it may stop this process at once.
  const stop = new Promise((told) => {
    process.once('SIGTERM', told);
    process.once('SIGINT', told);
  });
  if (settings.envFile !== undefined) replaceFile(settings.envFile, dotenv(azure.environment()));
  greet(azure, settings);
  await stop;
  await azure.close();
}

function greet(azure: AzureLocal, { dataDir, envFile }: Settings): void {
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
