import type { TokenCredential } from '@azure/core-auth';
import { ConsumerName } from '@twinkey/contracts';
import type { BusSettings } from '@twinkey/service-bus';
import { hostname } from 'node:os';
import type { BeforeSwitch } from './consent.js';
import type { Listeners } from './events.js';
import type { AfterSwitch } from './placing.js';

export interface ConnectOptions {
  /** The name under which the application is registered: 1 to 63 lower-case letters, digits and dashes. */
  readonly consumer: string;
  /** Names or ARM ids of the accounts whose keys it uses. */
  readonly accounts: readonly string[];
  /** This instance's name for people; host name and process id unless told. */
  readonly name?: string;
  /** TWINKEY_NOTIFIER_URL, or http://127.0.0.1:4703. */
  readonly notifierUrl?: string;
  /**
   * TWINKEY_API_AUDIENCE. Whom tokens for the notifier are made out to, `api://twinkey`; without it none is sent, and
   * only a notifier on the same machine takes that.
   */
  readonly apiAudience?: string;
  /**
   * SERVICEBUS_CONNECTION_STRING, or TWINKEY_SERVICE_BUS_NAMESPACE (and TWINKEY_SERVICE_BUS_ENDPOINT). Without one of
   * them, or with `false`, changes are learned from heartbeats only.
   */
  readonly serviceBus?: BusSettings | false;
  /** For Key Vault, and for Service Bus without a connection string; DefaultAzureCredential unless given. */
  readonly credential?: TokenCredential;
  /** For Key Vault's client; a private certificate authority given in code. */
  readonly clientOptions?: { readonly tlsOptions?: { readonly ca?: string } };
  /**
   * How long a call may take that was signed with the bare `credential`: such calls are not seen here, so the older
   * key is kept alive for this long after a switch. 30 unless told; 0 when `policy` is part of every client's pipeline.
   */
  readonly drainSeconds?: number;
  /** How long `connect` tries to reach the notifier and Key Vault before it fails. 60 unless told. */
  readonly startWithinSeconds?: number;
  /** `connect` waits for the first publication of accounts that have none. True unless told. */
  readonly waitForFirstPublication?: boolean;
  /**
   * Asked before a newer key takes the place of the one in use; not for the first one. It may take its time, and it may
   * refuse: then the rotation is held, people see who holds it and why, and it is asked again. It is not asked, and a
   * refusal ends, when the key in use is refused by the account or the notifier does not answer.
   */
  readonly beforeSwitch?: BeforeSwitch;
  /** How long `beforeSwitch` may take; then the key is switched without it. 30 unless told. */
  readonly beforeSwitchSeconds?: number;
  /**
   * Puts each key, the first one too, where something else uses it: a file, a child, another machine. A key is acknowledged
   * when that has settled. It may take as long as it needs, and it may refuse: then people see why, and it is called
   * again. For calls that this process makes itself it is not needed.
   */
  readonly afterSwitch?: AfterSwitch;
  /** After how long a refused key is offered again. 60 unless told. */
  readonly askAgainSeconds?: number;
  /** Listeners that hear what happens while `connect` is still at work, too; `on` adds more later. */
  readonly listeners?: Listeners;
  /** Gives up connecting: `connect` says goodbye and fails with an Interrupted. No effect afterwards. */
  readonly signal?: AbortSignal;
}

export interface Settings {
  readonly consumer: ConsumerName;
  readonly accounts: readonly string[];
  readonly name: string;
  readonly notifierUrl: string;
  readonly apiAudience?: string | undefined;
  readonly serviceBus: BusSettings | undefined;
  readonly drainSeconds: number;
  readonly startWithinSeconds: number;
  readonly waitForFirstPublication: boolean;
  readonly disableInstanceDiscovery: boolean;
  readonly disableChallengeCheck: boolean;
  readonly beforeSwitchSeconds?: number;
  readonly askAgainSeconds?: number;
}

const MAX_ACCOUNTS = 200;

/** Options first, then the environment, then defaults. Throws one error that names everything that is wrong. */
export function readSettings(
  options: ConnectOptions,
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const wrong: string[] = [];
  const consumer = ConsumerName.safeParse(options.consumer);
  if (!consumer.success) wrong.push('consumer: must be 1 to 63 lower-case letters, digits and dashes');
  if (options.accounts.length === 0 || options.accounts.length > MAX_ACCOUNTS) {
    wrong.push(`accounts: must name 1 to ${MAX_ACCOUNTS} accounts`);
  }
  if (options.accounts.includes('')) wrong.push('accounts: must not hold an empty name');
  const notifierUrl = options.notifierUrl ?? set(env['TWINKEY_NOTIFIER_URL']) ?? 'http://127.0.0.1:4703';
  if (!/^https?:\/\//.test(notifierUrl) || !URL.canParse(notifierUrl)) {
    wrong.push('notifierUrl (TWINKEY_NOTIFIER_URL): must be a URL like http://127.0.0.1:4703');
  }
  const seconds = (
    name: 'drainSeconds' | 'startWithinSeconds' | 'beforeSwitchSeconds' | 'askAgainSeconds',
    fallback: number,
  ): number => {
    const value = options[name] ?? fallback;
    if (!(value >= 0 && value < 2_000_000)) wrong.push(`${name}: must be a number of seconds, 0 or more`);
    return value;
  };
  const flag = (name: string): boolean => {
    const value = set(env[name]) ?? 'false';
    if (value !== 'true' && value !== 'false') wrong.push(`${name}: must be true or false`);
    return value === 'true';
  };
  const settings = {
    accounts: options.accounts,
    name: (options.name ?? `${hostname()}-${process.pid}`).slice(0, 120),
    notifierUrl,
    apiAudience: set((options.apiAudience ?? env['TWINKEY_API_AUDIENCE'])?.split(',')[0])?.replace(
      /\/+$/,
      '',
    ),
    serviceBus: options.serviceBus === false ? undefined : (options.serviceBus ?? busFrom(env)),
    drainSeconds: seconds('drainSeconds', 30),
    startWithinSeconds: seconds('startWithinSeconds', 60),
    beforeSwitchSeconds: seconds('beforeSwitchSeconds', 30),
    askAgainSeconds: seconds('askAgainSeconds', 60),
    waitForFirstPublication: options.waitForFirstPublication ?? true,
    disableInstanceDiscovery: flag('TWINKEY_DISABLE_INSTANCE_DISCOVERY'),
    disableChallengeCheck: flag('TWINKEY_DISABLE_VAULT_CHALLENGE_CHECK'),
  };
  if (!consumer.success || wrong.length > 0) throw new TypeError(`twinkey: ${wrong.join('; ')}`);
  return { ...settings, consumer: consumer.data };
}

function busFrom(env: Readonly<Record<string, string | undefined>>): BusSettings | undefined {
  const connectionString = set(env['SERVICEBUS_CONNECTION_STRING']);
  if (connectionString !== undefined) return { connectionString };
  const namespace = set(env['TWINKEY_SERVICE_BUS_NAMESPACE']);
  if (namespace === undefined) return undefined;
  return { namespace, endpoint: set(env['TWINKEY_SERVICE_BUS_ENDPOINT']) };
}

/** An empty variable counts as absent: that is how compose files and shells spell "not set". */
function set(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}
