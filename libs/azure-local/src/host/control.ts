import type { Account, AccountDefinition, Accounts, KeyVerdict } from '../resource-manager/state.js';
import type { Ledger, LedgerEntry } from '../ai-services/state.js';
import type { Application, ApplicationDefinition, Directory } from '../entra/state.js';
import type { Tokens } from '../entra/tokens.js';
import type { AllFaults, FaultControl } from './fault-control.js';
import type { ServiceBusServer } from '../service-bus/server.js';
import type { LocalClock } from './clock.js';
import { replaceFile, type Table } from './persist.js';
import type { RestartOptions, Restarts } from './restart.js';

/** What a test or a person does to the emulator from outside: the same in process and under `/_local/`. */
export interface Control {
  /** What goes wrong, in any of the services. */
  readonly faults: FaultControl;
  /** Every use of a key since the last reset, counted by account, slot, outcome and caller. */
  readonly ledger: {
    entries(): readonly LedgerEntry[];
    reset(): void;
  };
  readonly accounts: {
    /** Creates the account, or changes an existing one; its keys stay. */
    put(definition: AccountDefinition): void;
    names(): readonly string[];
    /** Whether the data plane would take this key now; `undefined` for an unknown account. */
    judge(name: string, key: string): KeyVerdict | undefined;
  };
  /** Registers an application, or redefines the one of that name. */
  register(definition: ApplicationDefinition): Credentials;
  /** Writes what a cluster would project into a pod of the workload `subject`. */
  writeFederatedToken(file: string, token: FederatedToken): Promise<void>;
  /** Whether tokens of `issueToken` outlive the key that bought them (as, probably, in Azure). */
  tokensSurviveRegeneration: boolean;
  /** How long an account that is created or changed stays `Accepted`, and refuses changes with 409. 0 unless set. */
  provisioningMs: number;
  /** The time by which everything here lives; it can jump ahead. */
  readonly clock: LocalClock;
  /** Closes listeners and opens them again on their ports, with what is on disk. Resolves when they are back. */
  restart(options?: RestartOptions): Promise<void>;
  /** `undefined` until everything listens. */
  restarts: Restarts | undefined;
  /** The namespace; `undefined` until it listens. Its faults are among {@link Control.faults}. */
  serviceBus: Pick<ServiceBusServer, 'faults' | 'stats' | 'tick'> | undefined;
}

export interface Credentials {
  readonly name: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly objectId: string;
  readonly clientSecret: string;
}

export interface FederatedToken {
  readonly subject: string;
  /** `api://AzureADTokenExchange` unless said. */
  readonly audience?: string;
  readonly lifetimeSeconds?: number;
}

export interface ControlParts {
  readonly faults: AllFaults;
  readonly ledger: Ledger;
  readonly accounts: Accounts;
  readonly groups: Table<string>;
  readonly directory: Directory;
  readonly tokens: () => Tokens;
  readonly clock: LocalClock;
  readonly origin: () => string;
}

export function controlOf({
  faults,
  ledger,
  accounts,
  groups,
  directory,
  tokens,
  clock,
  origin,
}: ControlParts): Control {
  const control: Control = {
    faults,
    ledger,
    accounts: {
      put: (definition) => {
        putWithGroup(accounts, groups, definition);
      },
      names: () => accounts.all().map(({ name }) => name),
      judge: (name, key) => {
        const account = accounts.get(name);
        return account === undefined ? undefined : accounts.judge(account, key);
      },
    },
    register: (definition) => credentialsOf(directory.register(definition), directory.tenantId),
    writeFederatedToken: async (file, token) => {
      replaceFile(file, await tokens().issueFederatedToken(origin(), token));
    },
    tokensSurviveRegeneration: true,
    provisioningMs: 0,
    clock,
    restarts: undefined,
    restart: async (options = {}) => {
      await control.restarts?.announce(options).begin();
    },
    serviceBus: undefined,
  };
  return control;
}

export function putWithGroup(
  accounts: Accounts,
  groups: Table<string>,
  definition: AccountDefinition,
): Account {
  const { account } = accounts.put(definition);
  const group = account.resourceGroup;
  if (groups.get(group.toLowerCase()) === undefined) groups.write([group.toLowerCase(), group]);
  return account;
}

export function credentialsOf(application: Application, tenantId: string): Credentials {
  const { name, clientId, objectId, clientSecret } = application;
  return { name, tenantId, clientId, objectId, clientSecret };
}
