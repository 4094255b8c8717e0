import type { AzureKeyCredential, TokenCredential } from '@azure/core-auth';
import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { DefaultAzureCredential } from '@azure/identity';
import { type AccountId, type Generation, Interrupted } from '@twinkey/contracts';
import { randomUUID } from 'node:crypto';
import { serviceBusChannel } from './channel.js';
import { Events, type Listener, type TwinkeyEvents } from './events.js';
import type { FollowedAccount } from './followed-account.js';
import { type Healing, healingFetch, healingPolicy } from './heal.js';
import { notifierClient } from './notifier-client.js';
import { Session } from './session.js';
import { type ConnectOptions, readSettings } from './settings.js';
import { REAL_TIMING } from './timing.js';
import { vaultReader } from './vault-reader.js';

/** An account whose key this process uses. */
export interface TwinkeyAccount {
  readonly id: AccountId;
  readonly name: string;
  /** The generation in use; 0 while there is none. */
  readonly generation: Generation;
  /** Resolves with the first key. `connect` has waited for it unless told otherwise. */
  readonly ready: Promise<void>;
  /**
   * A credential for any Azure client, updated in place. Calls signed with it are not seen: the older key stays alive
   * for `drainSeconds`, unless `policy` is part of the client's pipeline too. Throws while there is no key.
   */
  readonly credential: AzureKeyCredential;
  /**
   * Sets the key on each request, counts it as under way, and repeats it once when it was refused and a newer key is
   * found. Behind the phase that signs: `additionalPolicies: [{ policy, position: 'perRetry' }]`.
   */
  readonly policy: PipelinePolicy;
  /** `fetch` that does what `policy` does. Sets `api-key` when the request has that header, else `Ocp-Apim-Subscription-Key`. */
  readonly fetch: typeof fetch;
  /** Runs a call of any kind with the current key; it counts as under way until the promise settles. Do not keep the key. */
  use<Result>(call: (key: string) => Promise<Result>): Promise<Result>;
}

/** A registered instance. */
export interface Twinkey {
  /** By name or ARM id. Throws for one that `connect` was not asked for. */
  account(name: string): TwinkeyAccount;
  readonly accounts: readonly TwinkeyAccount[];
  /** Returns the function that takes the listener away again. */
  on<Name extends keyof TwinkeyEvents>(name: Name, listener: Listener<Name>): () => void;
  /**
   * Waits for calls under way, tells the notifier goodbye so that no key switch waits for this instance, and closes. Do
   * this before the process ends, when no more calls are made; an open instance keeps the process alive.
   */
  close(): Promise<void>;
}

/**
 * Registers this process and keeps the keys of its accounts current until `close`. Fails with a TypeError for bad
 * options; with a PermanentFault when it is turned away; with a TransientFault when notifier or Key Vault cannot be
 * reached within `startWithinSeconds`. After that nothing that happens to twinkey takes the last good key away.
 */
export async function connect(options: ConnectOptions, env = process.env): Promise<Twinkey> {
  const settings = readSettings(options, env);
  const credential: TokenCredential =
    options.credential ?? defaultCredential(settings.disableInstanceDiscovery);
  const events = new Events(options.listeners);
  const session = new Session({
    settings,
    boot: randomUUID(),
    notifier: notifierClient(settings.notifierUrl),
    vault: vaultReader(credential, {
      disableChallengeCheck: settings.disableChallengeCheck,
      clientOptions: options.clientOptions,
    }),
    channel:
      settings.serviceBus === undefined ? undefined : serviceBusChannel(settings.serviceBus, credential),
    timing: REAL_TIMING,
    events,
  });
  const giveUp = (): void => {
    session.interrupt();
  };
  options.signal?.addEventListener('abort', giveUp);
  try {
    if (options.signal?.aborted !== true) await session.start();
    if (options.signal?.aborted === true) throw new Interrupted('closed', 'connecting was given up');
  } catch (error) {
    await session.close();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', giveUp);
  }
  return twinkeyOf(session, events);
}

const credentials = new Map<boolean, TokenCredential>();

/** One per process: instances of one process share its tokens instead of asking Entra once each. */
function defaultCredential(disableInstanceDiscovery: boolean): TokenCredential {
  const known = credentials.get(disableInstanceDiscovery);
  if (known !== undefined) return known;
  const credential = new DefaultAzureCredential({ disableInstanceDiscovery });
  credentials.set(disableInstanceDiscovery, credential);
  return credential;
}

function twinkeyOf(session: Session, events: Events): Twinkey {
  const accounts = [...session.accounts.values()].map((followed) => accountOf(followed, events));
  return {
    accounts,
    account: (asked) => {
      const wanted = asked.toLowerCase();
      const found = accounts.find(
        ({ id, name }) => id.toLowerCase() === wanted || name.toLowerCase() === wanted,
      );
      if (found !== undefined) return found;
      throw new TypeError(
        `twinkey: account: "${asked}" is not one of ${accounts.map(({ name }) => name).join(', ')}. Name it in connect({ accounts }).`,
      );
    },
    on: (name, listener) => events.on(name, listener),
    close: () => session.close(),
  };
}

function accountOf(followed: FollowedAccount, events: Events): TwinkeyAccount {
  const { id, name, holder, ready } = followed;
  const healing: Healing = {
    holder,
    confirm: () => followed.confirm(),
    findNewer: (than) => followed.findNewer(than),
    refused: (call) => {
      events.emit('refused', { ...call, account: id, name });
    },
  };
  return {
    id,
    name,
    ready,
    get generation() {
      return followed.generation;
    },
    get credential() {
      return holder.credential;
    },
    policy: healingPolicy(healing),
    fetch: healingFetch(healing),
    use: async (call) => {
      await followed.confirm();
      return holder.use(({ key }) => call(key));
    },
  };
}
