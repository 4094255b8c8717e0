// The same play on two stages: the fake that applications test with, and the real thing. What holds on both is what the
// fake may be trusted for.
import { fakeTwinkey } from '../fake/index.js';
import type { ConnectOptions } from '../settings.js';
import type { Twinkey } from '../twinkey.js';
import { Embedded, until } from './embedded.js';

export const NAME = 'multi';

export type Wishes = Pick<ConnectOptions, 'beforeSwitch' | 'askAgainSeconds' | 'listeners' | 'drainSeconds'>;

export interface Stage {
  readonly twinkey: Twinkey;
  /** Where `fetch` and tokens go. */
  readonly url: string;
  /** Publishes the other key and announces it; resolves when that was heard and acted upon. */
  switchKey(): Promise<void>;
  /** Publishes the other key and tells nobody; the one in use dies. */
  replaceUnannounced(): Promise<void>;
  /** The key in use dies, and there is no other. */
  killKey(): Promise<void>;
  lapse(): Promise<void>;
  resume(): Promise<void>;
  /** Resolves when `holds`, however time passes here. */
  until(holds: () => boolean): Promise<void>;
  acknowledged(): number | undefined;
  /** Why an older key is kept, as people are told. */
  refusal(): string | undefined;
}

export interface Theatre {
  raise(wishes?: Wishes): Promise<Stage>;
  close(): Promise<void>;
}

/** Keys are numbered; nothing is sent anywhere. */
export function fakeTheatre(): Promise<Theatre> {
  const raise = async (wishes: Wishes = {}): Promise<Stage> => {
    const twinkey = await fakeTwinkey({ accounts: { [NAME]: 'key 1' }, ...wishes });
    let serial = 1;
    const nextKey = (): string => {
      serial += 1;
      return `key ${serial}`;
    };
    return {
      twinkey,
      url: 'https://multi.example',
      switchKey: () => twinkey.switchTo(NAME, nextKey()),
      replaceUnannounced: () => {
        twinkey.expire(NAME);
        twinkey.publish(NAME, nextKey());
        return Promise.resolve();
      },
      killKey: () => {
        twinkey.expire(NAME);
        return Promise.resolve();
      },
      lapse: () => twinkey.lapse(),
      resume: () => twinkey.resume(),
      until: async (holds) => {
        for (let seconds = 0; !holds(); seconds += 1) {
          if (seconds > 600) throw new Error(`waited in vain for ${holds.toString()}`);
          await twinkey.pass(1);
        }
      },
      acknowledged: () => twinkey.acknowledged(NAME)?.generation,
      refusal: () => twinkey.refusal(NAME),
    };
  };
  return Promise.resolve({ raise, close: () => Promise.resolve() });
}

/** `connect`, the embedded Azure, a notifier over HTTP, and real time. */
export async function realTheatre(): Promise<Theatre> {
  const azure = await Embedded.start(NAME, 'AIServices');
  const raise = async (wishes: Wishes = {}): Promise<Stage> => {
    azure.reset();
    azure.current = 1;
    await azure.publish('key1', 1);
    const twinkey = await azure.connect(wishes);
    let number = 1;
    const publish = async (): Promise<void> => {
      number += 1;
      await azure.publish(number % 2 === 1 ? 'key1' : 'key2', number);
    };
    const { isLapsed } = watch(twinkey);
    const account = twinkey.account(NAME);
    return {
      twinkey,
      url: `${azure.plainUrl}/${NAME}`,
      switchKey: async () => {
        await publish();
        await azure.announce(number);
        await until(() => account.generation === number || refusalOf(azure) !== undefined);
      },
      replaceUnannounced: async () => {
        const used = number;
        await publish();
        await azure.keys('regenerateKey', used % 2 === 1 ? 'Key1' : 'Key2');
      },
      killKey: async () => {
        await azure.keys('regenerateKey', number % 2 === 1 ? 'Key1' : 'Key2');
      },
      lapse: () => {
        azure.isSilent = true;
        return until(isLapsed);
      },
      resume: () => {
        azure.isSilent = false;
        return until(() => !isLapsed());
      },
      until,
      acknowledged: () => azure.acknowledged.at(-1)?.generation,
      refusal: () => refusalOf(azure),
    };
  };
  return { raise, close: () => azure.close() };
}

function watch(twinkey: Twinkey): { isLapsed: () => boolean } {
  let lapsed = false;
  twinkey.on('lapsed', () => (lapsed = true));
  twinkey.on('resumed', () => (lapsed = false));
  return { isLapsed: () => lapsed };
}

function refusalOf({ heartbeats }: Embedded): string | undefined {
  return heartbeats.at(-1)?.accounts[0]?.refusal?.reason;
}
