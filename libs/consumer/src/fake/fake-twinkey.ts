import { ConsumerName } from '@twinkey/contracts';
import type { BeforeSwitch } from '../consent.js';
import type { AfterSwitch } from '../placing.js';
import { Events, type Listeners } from '../events.js';
import { Session } from '../session.js';
import { type Twinkey, twinkeyOf } from '../twinkey.js';
import { type FakeAccount, FakeInstallation } from './fake-installation.js';
import { FakeDataPlane, type Refusable } from './fake-data-plane.js';
import { HandTime, settled } from './hand-time.js';

export interface FakeOptions {
  /** The key of each account by its name; null: nothing is published yet. */
  readonly accounts: Readonly<Record<string, string | null>>;
  /** What `account.fetch` reaches when the fake account lets it in. Unless given, an empty JSON object with 200. */
  readonly fetch?: typeof fetch;
  readonly consumer?: string;
  readonly drainSeconds?: number;
  readonly beforeSwitch?: BeforeSwitch;
  readonly beforeSwitchSeconds?: number;
  readonly afterSwitch?: AfterSwitch;
  readonly askAgainSeconds?: number;
  readonly listeners?: Listeners;
}

/**
 * A Twinkey without a network: the library's own session, with notifier, vault, account and clock in the test's hands.
 * Each method resolves when all has happened that waits neither for time nor for the application.
 */
export interface FakeTwinkey extends Twinkey {
  /** Publishes a key and announces it. While lapsed, time passes until it is found in the vault. */
  switchTo(account: string, key: string): Promise<void>;
  /** Publishes a key that nobody announces: the first refused call finds it. */
  publish(account: string, key: string): void;
  /** Calls with the key that is in use are answered 401 until the next switch. */
  expire(account: string): void;
  /** Until `accept`: every key (401), the exchange of keys for tokens (503), tokens of Entra (403). */
  refuse(account: string, what: Refusable): void;
  accept(account: string, what: Refusable): void;
  /** The notifier falls silent, and time passes until that is noticed. */
  lapse(): Promise<void>;
  /** The notifier answers again. */
  resume(): Promise<void>;
  /** Time passes: heartbeats, renewals and repetitions happen. The fake's clock otherwise stands still. */
  pass(seconds: number): Promise<void>;
  /** What the application acknowledged last. */
  acknowledged(account: string): { readonly generation: number; readonly drainedAt?: Date } | undefined;
  /** Why the application keeps an older key, as people would see it. */
  refusal(account: string): string | undefined;
}

/** The vault is re-read at half of `rereadSeconds`, and looked at every quarter of it. */
const NOTICED_WITHIN_SECONDS = 60;

/** Makes a connected fake. Throws a TypeError for bad options. */
export async function fakeTwinkey(options: FakeOptions): Promise<FakeTwinkey> {
  const names = Object.keys(options.accounts);
  if (names.length === 0) throw new TypeError('fakeTwinkey: accounts: must name at least one, with its key');
  const installation = new FakeInstallation(names);
  const planes = new Map(installation.accounts.map(({ name }) => [name, new FakeDataPlane()]));
  for (const [name, key] of Object.entries(options.accounts)) {
    const account = installation.find(name);
    if (key !== null) installation.publish(account, key);
    installation.announce(account);
  }
  const { beforeSwitchSeconds, askAgainSeconds } = options;
  const timing = new HandTime();
  const events = new Events(options.listeners);
  const session = new Session({
    settings: {
      consumer: ConsumerName.parse(options.consumer ?? 'fake'),
      accounts: names,
      name: 'fake',
      notifierUrl: '',
      serviceBus: undefined,
      drainSeconds: options.drainSeconds ?? 30,
      startWithinSeconds: 60,
      waitForFirstPublication: false,
      disableInstanceDiscovery: false,
      disableChallengeCheck: false,
      ...(beforeSwitchSeconds === undefined ? {} : { beforeSwitchSeconds }),
      ...(askAgainSeconds === undefined ? {} : { askAgainSeconds }),
    },
    boot: '00000000-0000-4000-8000-0000000000fa',
    notifier: installation,
    vault: installation,
    channel: installation,
    timing,
    events,
    beforeSwitch: options.beforeSwitch,
    afterSwitch: options.afterSwitch,
  });
  await session.start();
  await settled();

  const planeOf = (name: string): FakeDataPlane => {
    const plane = planes.get(installation.find(name).name);
    if (plane === undefined) throw new Error('every account has a data plane');
    return plane;
  };
  const credential = {
    getToken: () => Promise.resolve({ token: 'fake-entra', expiresOnTimestamp: timing.now() + 3_600_000 }),
  };
  const beyond = options.fetch ?? (() => Promise.resolve(Response.json({})));
  const twinkey = twinkeyOf(session, (name) => {
    const plane = planeOf(name);
    return { credential, timing, fetch: plane.fetch(beyond), around: (policy) => plane.policy(policy) };
  });

  const publish = (asked: string, key: string): FakeAccount => {
    const account = installation.find(asked);
    planeOf(asked).revive(key);
    installation.publish(account, key);
    return account;
  };
  return {
    ...twinkey,
    switchTo: async (asked, key) => {
      installation.announce(publish(asked, key));
      await settled();
      if (!installation.isReachable) await timing.pass(NOTICED_WITHIN_SECONDS);
    },
    publish: (asked, key) => {
      publish(asked, key);
    },
    expire: (asked) => {
      const { id, name } = installation.find(asked);
      const holder = session.accounts.get(id)?.holder;
      if (holder?.current === undefined) throw new Error(`fakeTwinkey: ${name} has no key that could expire`);
      planeOf(asked).kill(holder.current.key);
    },
    refuse: (asked, what) => {
      planeOf(asked).refuse(what);
    },
    accept: (asked, what) => {
      planeOf(asked).accept(what);
    },
    lapse: async () => {
      installation.isReachable = false;
      await timing.pass(NOTICED_WITHIN_SECONDS);
    },
    resume: async () => {
      installation.isReachable = true;
      await timing.pass(NOTICED_WITHIN_SECONDS);
    },
    pass: (seconds) => timing.pass(seconds),
    acknowledged: (asked) => {
      const { acknowledged } = installation.find(asked);
      if (acknowledged === undefined) return undefined;
      const { generation, drainedAt } = acknowledged;
      return { generation, ...(drainedAt === undefined ? {} : { drainedAt: new Date(drainedAt) }) };
    },
    refusal: (asked) => installation.find(asked).refusal,
  };
}
