import type { TokenCredential } from '@azure/core-auth';
import { DefaultAzureCredential } from '@azure/identity';
import { Interrupted, TransientFault } from '@twinkey/contracts';
import { randomUUID } from 'node:crypto';
import { serviceBusChannel } from './channel.js';
import { Events } from './events.js';
import { notifierClient } from './notifier-client.js';
import { Session } from './session.js';
import { type ConnectOptions, readSettings } from './settings.js';
import { REAL_TIMING } from './timing.js';
import { type Twinkey, twinkeyOf } from './twinkey.js';
import { vaultReader } from './vault-reader.js';
import { newVoice } from './voice.js';

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
    notifier: notifierClient(settings.notifierUrl, bearerFor(settings.apiAudience, credential)),
    vault: vaultReader(credential, {
      disableChallengeCheck: settings.disableChallengeCheck,
      clientOptions: options.clientOptions,
    }),
    channel:
      settings.serviceBus === undefined
        ? undefined
        : serviceBusChannel(settings.serviceBus, credential, newVoice()),
    timing: REAL_TIMING,
    events,
    beforeSwitch: options.beforeSwitch,
    afterSwitch: options.afterSwitch,
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
  return twinkeyOf(session, () => ({ credential, timing: REAL_TIMING, fetch: lateFetch }));
}

/** Looked up at each call: applications put their own in its place to trace or to test. */
const lateFetch: typeof fetch = (input, init) => fetch(input, init);

function bearerFor(
  audience: string | undefined,
  credential: TokenCredential,
): (() => Promise<string>) | undefined {
  if (audience === undefined) return undefined;
  return async () => {
    const token = await credential.getToken(`${audience}/.default`).catch((error: unknown) => {
      throw new TransientFault(
        'token-unavailable',
        `Entra issues no token for ${audience}: ${reasonIn(error)}`,
      );
    });
    if (token !== null) return token.token;
    throw new TransientFault('token-unavailable', `Entra issues no token for ${audience}.`);
  };
}

/** The first line: those of credential chains go on for a page. */
function reasonIn(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
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
