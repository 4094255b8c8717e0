// An agent: a consumer that uses no key itself. It puts keys in place for a program that cannot be changed, and
// acknowledges a key when that program uses it.
import { connect, type ConnectOptions, type Listeners, type Twinkey } from '@twinkey/consumer';
import { isInterrupted } from '@twinkey/contracts';
import { aborted } from './clock.js';
import { Placer } from './placer.js';
import { generationsOf, type Target } from './target.js';

export interface AgentOptions {
  /** The name under which the program is registered as a consumer. */
  readonly consumer: string;
  readonly accounts: readonly string[];
  readonly target: Target;
  /**
   * Says goodbye at the end: the program ends together with the agent. Else the program is taken to go on with its key,
   * and a lease bridges the time until the agent is started again.
   */
  readonly goodbye: boolean | (() => boolean);
  /** The agent ends when it aborts. */
  readonly until: AbortSignal;
  /** A line for people. Never a key. */
  readonly tell: (line: string) => void;
  /** For what else `connect` may be told. */
  readonly connection?: Pick<
    ConnectOptions,
    | 'askAgainSeconds'
    | 'clientOptions'
    | 'credential'
    | 'name'
    | 'notifierUrl'
    | 'serviceBus'
    | 'startWithinSeconds'
  >;
}

/** As good as for ever: an agent that gives up helps nobody. */
const PATIENCE_SECONDS = 1_999_999;

/** Runs until `until` aborts, also before it is connected. Fails for what no repetition changes: bad options, or an agent that is turned away. */
export async function runAgent(options: AgentOptions, env = process.env): Promise<void> {
  const { consumer, accounts, target, goodbye, until, tell, connection } = options;
  const placer = new Placer(accounts, target, (keys) => {
    tell(`${generationsOf(keys)}: in use, ${target.where}`);
  });
  const twinkey = await unlessInterrupted(
    connect(
      {
        startWithinSeconds: PATIENCE_SECONDS,
        ...connection,
        consumer,
        accounts,
        afterSwitch: placer.afterSwitch,
        drainSeconds: 0, // a target says itself when nobody uses an older key
        signal: until,
        listeners: listenersFor(tell),
      },
      env,
    ),
  );
  await aborted(until);
  await twinkey?.close({ goodbye: typeof goodbye === 'boolean' ? goodbye : goodbye() });
}

async function unlessInterrupted(connecting: Promise<Twinkey>): Promise<Twinkey | undefined> {
  try {
    return await connecting;
  } catch (error) {
    if (isInterrupted(error)) return undefined;
    throw error;
  }
}

function listenersFor(tell: (line: string) => void): Listeners {
  return {
    switched: ({ name, generation }) => {
      tell(`${name}=${generation}: published, to be put in place`);
    },
    kept: ({ name, offered, reason, until }) => {
      tell(`${name}=${offered}: not acknowledged: ${reason}; next try at ${until.toISOString()}`);
    },
    lapsed: ({ reason }) => {
      tell(`the notifier is silent (${reason}); going on with the keys at hand`);
    },
    resumed: () => {
      tell('the notifier answers again');
    },
    error: ({ message }) => {
      tell(message);
    },
  };
}
