import { parseArgs } from 'node:util';

export interface Settings {
  readonly dataDir: string;
  readonly envFile: string | undefined;
  readonly fleetFile: string | undefined;
  readonly topologyFile: string | undefined;
  readonly port: number | undefined;
  readonly vaultPort: number | undefined;
  readonly serviceBusPort: number | undefined;
}

/** A mistake of whoever called: shown without a stack, exit code 2. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}

export const usage = `Usage: twinkey-azure [options]

An Azure for development on 127.0.0.1: Entra, Key Vault, Cognitive Services, Service Bus.

  --data DIR              what it keeps between starts (default .twinkey/azure)
  --env-file FILE         write the variables that lead programs here, once all of it listens
  --fleet FILE            accounts that shall exist, as JSON: { "accounts": [{ "name": … }] }
  --topology FILE         queues and topics that shall exist, as the official emulator's Config.json
  --port N                port of Entra, Resource Manager and the AI data plane
  --vault-port N          port of the vault
  --service-bus-port N    port of Service Bus
  --help                  show this

Ports that are not named are free ones, kept from start to start.`;

/** Throws {@link Misuse}; `help` when that was asked for. */
export function parseCommandLine(args: readonly string[]): Settings | 'help' {
  const values = read(args);
  if (values.help === true) return 'help';
  return {
    dataDir: values.data ?? '.twinkey/azure',
    envFile: values['env-file'],
    fleetFile: values.fleet,
    topologyFile: values.topology,
    port: port('--port', values.port),
    vaultPort: port('--vault-port', values['vault-port']),
    serviceBusPort: port('--service-bus-port', values['service-bus-port']),
  };
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        data: { type: 'string' },
        'env-file': { type: 'string' },
        fleet: { type: 'string' },
        topology: { type: 'string' },
        port: { type: 'string' },
        'vault-port': { type: 'string' },
        'service-bus-port': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    const { message } = cause as Error; // node's own, and a good sentence
    throw new Misuse(`${message.replace(/\.?$/, '.')} See --help.`, { cause });
  }
}

function port(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new Misuse(`${flag} ${text}: a port is a number from 0 (any free one) to 65535.`);
}
