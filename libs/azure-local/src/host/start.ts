import { Agent } from 'node:https';
import { join } from 'node:path';
import type { AccountDefinition } from '../resource-manager/state.js';
import type { ArmLimits } from '../resource-manager/buckets.js';
import type { ApplicationDefinition } from '../entra/state.js';
import { serviceBusAccess } from '../service-bus/entra-access.js';
import type { VaultLimits } from '../key-vault/limit.js';
import { startServiceBus, type ServiceBusServer } from '../service-bus/server.js';
import type { Topology } from '../service-bus/state/topology.js';
import { callTrusting, type Call } from './call.js';
import type { Control, Credentials } from './control.js';
import { credentialsOf, putWithGroup } from './control.js';
import { environmentOf } from './environment.js';
import { sampleFleet } from './fleet.js';
import { listen, type Listener } from './listen.js';
import type { Clock, Incoming, Log } from './plugin.js';
import { onItsPort } from './ports.js';
import { servicesOf, type Services } from './services.js';
import { openState, type State } from './state.js';

export interface StartOptions {
  /** Holds certificates, signing keys, accounts, secrets and the ledger; made when missing, kept between starts. */
  readonly dataDir: string;
  /** A port named here must be free. Others: the one of the last time, else a free one. */
  readonly ports?: {
    readonly origin?: number | undefined;
    readonly vaults?: Readonly<Record<string, number | undefined>>;
    readonly serviceBus?: number | undefined;
  };
  /** Accounts that shall exist. Those that do keep their keys. Unless given, a new folder gets a sample of three. */
  readonly fleet?: readonly AccountDefinition[];
  /** Names of vaults, the first one is the default. `local` unless said. */
  readonly vaults?: readonly string[];
  /** Applications besides the default one, which may do everything. */
  readonly applications?: readonly ApplicationDefinition[];
  /** Queues, topics and subscriptions that shall exist, as the official emulator's Config.json has them. */
  readonly topology?: Topology;
  /** Azure's documented limits unless said. */
  readonly limits?: { readonly arm?: ArmLimits | 'off'; readonly vault?: VaultLimits | 'off' };
  /** 3599 unless said, as Entra's. Not below 300, or Service Bus clients ask for tokens without pause. */
  readonly tokenLifetimeSeconds?: number;
  /** Accounts on one page of a list; 100 unless said. */
  readonly pageSize?: number;
  /** Milliseconds since 1970; the machine's clock unless given. Certificates always follow the machine's. */
  readonly clock?: Clock;
  /** Silent unless given. */
  readonly log?: Log;
}

export interface AzureLocal {
  readonly endpoints: {
    /** Entra, Resource Manager and the AI data plane: `https://localhost:port`. */
    readonly origin: string;
    /** URL by name of the vault. */
    readonly vaults: Readonly<Record<string, string>>;
    /** `localhost:port`, over TLS and plain alike: give it with a credential. */
    readonly serviceBus: string;
    /** With a key that may do everything, over plain TCP. A secret. */
    readonly serviceBusConnectionString: string;
  };
  readonly tenantId: string;
  readonly subscriptionId: string;
  /** PEM of the authority that clients have to trust; give it as `tlsOptions: { ca }` or `NODE_EXTRA_CA_CERTS`. */
  readonly ca: string;
  readonly caFile: string;
  /** Of the default application first, then of those given. */
  readonly applications: readonly Credentials[];
  readonly control: Control;
  /** One HTTPS request that trusts {@link AzureLocal.ca}; a path such as `/_local/ledger` means the origin. */
  readonly call: Call;
  /** The variables under which a program finds this emulator instead of Azure; the default application's identity. */
  environment(): Readonly<Record<string, string>>;
  /** Cuts all connections and lets the folder go. */
  close(): Promise<void>;
}

/**
 * Starts the emulated Azure on 127.0.0.1. Resolves when everything listens.
 * Throws `PortTaken` for a port that was named, `FolderInUse`, or an `Error` when the folder is damaged.
 */
export async function start(options: StartOptions): Promise<AzureLocal> {
  const state = await openState(options.dataDir);
  const listeners: Pick<Listener, 'close'>[] = [];
  const stop = new AbortController();
  const close = async () => {
    stop.abort();
    await Promise.all(listeners.map((listener) => listener.close()));
    state.close();
  };
  try {
    return await open(options, state, listeners, stop.signal, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  options: StartOptions,
  state: State,
  listeners: Pick<Listener, 'close'>[],
  stopped: AbortSignal,
  close: () => Promise<void>,
): Promise<AzureLocal> {
  const log = options.log ?? { info: () => undefined, warn: () => undefined };
  let origin = '';
  const services = servicesOf({ ...options, log, state, stopped, origin: () => origin });
  const applications = [
    services.directory.register({ name: 'default', assignments: [{ actions: ['*'], dataActions: ['*'] }] }),
    ...(options.applications ?? []).map((definition) => services.directory.register(definition)),
  ];
  const isNew = services.accounts.all().length === 0;
  for (const definition of options.fleet ?? (isNew ? sampleFleet : [])) {
    if (services.accounts.get(definition.name) === undefined) {
      putWithGroup(services.accounts, state.groups, definition);
    }
  }

  const { cert, key, ca, caFile } = state.certificates;
  const serve = async (
    name: string,
    asked: number | undefined,
    handle: (request: Incoming) => ReturnType<typeof services.shared>,
  ) => {
    const listener = await onItsPort(state.ports, name, asked, log, (port) =>
      listen({ port, tls: { key, cert }, handle, log }),
    );
    listeners.push(listener);
    return `https://localhost:${listener.port}`;
  };
  origin = await serve('the origin', options.ports?.origin, services.shared);
  const vaults: Record<string, string> = {};
  for (const name of options.vaults ?? ['local']) {
    vaults[name] = await serve(`vault ${name}`, options.ports?.vaults?.[name], services.vault(name));
  }

  const bus = await openServiceBus(options, state, services, log);
  listeners.push(bus);
  services.control.serviceBus = bus;
  const serviceBus = { port: bus.port, connectionString: connectionString(bus.port, state.serviceBusKey) };

  const credentials = applications.map((application) => credentialsOf(application, state.tenantId));
  const { tenantId, subscriptionId } = state;
  const [{ clientId, clientSecret } = { clientId: '', clientSecret: '' }] = credentials;
  const [vaultUrl = ''] = Object.values(vaults);
  // An agent of its own: the global one would come back on connections that `close` has cut.
  const agent = new Agent({ ca, keepAlive: true });
  listeners.push({
    close: () => {
      agent.destroy();
      return Promise.resolve();
    },
  });
  const call = callTrusting(agent);
  return {
    call: (url, sent) => call(new URL(url, origin).href, sent),
    endpoints: {
      origin,
      vaults,
      serviceBus: `localhost:${bus.port}`,
      serviceBusConnectionString: serviceBus.connectionString,
    },
    tenantId,
    subscriptionId,
    ca,
    caFile,
    applications: credentials,
    control: services.control,
    environment: () =>
      environmentOf({
        caFile,
        origin,
        tenantId,
        subscriptionId,
        clientId,
        clientSecret,
        vaultUrl,
        serviceBus,
      }),
    close,
  };
}

const sasKeyName = 'RootManageSharedAccessKey';

async function openServiceBus(
  options: StartOptions,
  state: State,
  services: Services,
  log: Log,
): Promise<ServiceBusServer> {
  const { cert, key } = state.certificates;
  const { directory, tokens } = services;
  return await onItsPort(state.ports, 'Service Bus', options.ports?.serviceBus, log, (port) =>
    startServiceBus({
      port,
      tls: { key, cert },
      dataDir: join(options.dataDir, 'service-bus'),
      verifyToken: serviceBusAccess(directory, tokens, 'local'),
      sas: [{ keyName: sasKeyName, key: state.serviceBusKey }],
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.topology === undefined ? {} : { topology: options.topology }),
      log: ({ level, message }) => {
        if (level === 'warn' || level === 'error') log.warn(`Service Bus: ${message}`);
      },
    }),
  );
}

function connectionString(port: number, key: string): string {
  const access = `SharedAccessKeyName=${sasKeyName};SharedAccessKey=${key}`;
  return `Endpoint=sb://localhost:${port};${access};UseDevelopmentEmulator=true`;
}
