import type { AccountDefinition } from '../resource-manager/state.js';
import type { ArmLimits } from '../resource-manager/buckets.js';
import type { ApplicationDefinition } from '../entra/state.js';
import type { VaultLimits } from '../key-vault/limit.js';
import type { Topology } from '../service-bus/state/topology.js';
import type { Call } from './call.js';
import type { Control, Credentials } from './control.js';
import type { ExtraVariables } from './environment.js';
import { Opening } from './open.js';
import type { Clock, Log } from './plugin.js';
import { openState } from './state.js';

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
  /** How long a deleted secret can be recovered: 7 to 90 days, 90 unless said. */
  readonly vaultRetentionDays?: number;
  /** 3599 unless said, as Entra's. Not below 300, or Service Bus clients ask for tokens without pause. */
  readonly tokenLifetimeSeconds?: number;
  /** Accounts on one page of a list; 100 unless said. */
  readonly pageSize?: number;
  /** Milliseconds since 1970; the machine's clock unless given. Certificates always follow the machine's. */
  readonly clock?: Clock;
  /** Variables of your own in {@link AzureLocal.environment}: their names, and what each shall hold. */
  readonly extraVariables?: ExtraVariables;
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
  const log = options.log ?? { info: () => undefined, warn: () => undefined };
  const state = await openState(options.dataDir, log);
  const opening = new Opening(options, state, log);
  try {
    return await opening.open();
  } catch (error) {
    await opening.close();
    throw error;
  }
}
