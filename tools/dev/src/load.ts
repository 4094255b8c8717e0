// The sample consumers: several processes whose instances call the AI data plane without pause.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import type { SampleConsumer } from './sample-fleet.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const program = 'examples/consumer-node/bundle/main.mjs';

export interface LoadCounters {
  readonly instances: number;
  readonly calls: number;
  /** Every answer 401 or 403 that any call saw, healed or not. */
  readonly refused: number;
  /** Those that a repetition with a newer key made good: their callers noticed nothing. */
  readonly healed: number;
  /** Calls that got no answer in time, or a 5xx. */
  readonly failed: number;
}

const COUNTED = ['calls', 'refused', 'healed', 'failed'] as const;

type Counts = Readonly<Record<(typeof COUNTED)[number], number>>;

const NONE: Counts = { calls: 0, refused: 0, healed: 0, failed: 0 };

/** What an instance of this name has counted: in processes that have ended, and in the one that runs. */
interface Counted {
  readonly consumer: string;
  readonly before: Counts;
  readonly now: Counts;
}

export interface LoadSettings {
  readonly consumers: readonly SampleConsumer[];
  readonly endpoints: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly callsPerSecond: number;
  /** The built checkout that a consumer is run from, by its name; this one unless told. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly onTrouble?: (consumer: string, how: string) => void;
}

export class Load {
  readonly #children: readonly Child[];
  readonly #counted = new Map<string, Counted>();

  constructor(private readonly settings: LoadSettings) {
    this.#children = settings.consumers.map((sample) => this.#child(sample));
  }

  start(): void {
    for (const child of this.#children) child.start();
  }

  process(consumer: string): Child | undefined {
    return this.#children.find(({ settings }) => settings.name === consumer);
  }

  /** Of all of them, or of one consumer. */
  counters(consumer?: string): LoadCounters {
    const those = [...this.#counted.values()].filter(
      (each) => consumer === undefined || each.consumer === consumer,
    );
    const sum = those.reduce((total, { before, now }) => plus(total, plus(before, now)), NONE);
    return { instances: those.length, ...sum };
  }

  /** How often each instance of a consumer has called, by its name. */
  callsOfEach(consumer: string): ReadonlyMap<string, number> {
    const those = [...this.#counted].filter(([, each]) => each.consumer === consumer);
    return new Map(those.map(([name, { before, now }]) => [name, before.calls + now.calls]));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
  }

  #child({ consumer, instances, accounts }: SampleConsumer): Child {
    const { env, endpoints, folder, callsPerSecond, programs = {}, onTrouble } = this.settings;
    const task = {
      consumer,
      instances,
      callsPerSecond,
      accounts: accounts.map((name) => ({ name, endpoint: endpoints[name] })),
    };
    return new Child({
      name: consumer,
      script: join(programs[consumer] ?? root, program),
      args: [JSON.stringify(task)],
      env,
      logFile: join(folder, 'logs', `consumer-${consumer}.log`),
      pidFolder: join(folder, 'pids'),
      // While everything starts at once on two cores, the services come first.
      nice: 5,
      restart: false,
      onLine: (line) => {
        this.#count(consumer, line);
      },
      ...(onTrouble === undefined
        ? {}
        : {
            onUnexpectedExit: (how: string) => {
              onTrouble(consumer, how);
            },
          }),
    });
  }

  /** Anything that is no counter line (a warning, say) is in the log file. */
  #count(consumer: string, line: string): void {
    if (!line.startsWith('{')) return;
    const { instance, ...counts } = JSON.parse(line) as { instance?: unknown } & Partial<Counts>;
    if (typeof instance !== 'string' || !areCounts(counts)) return;
    const known = this.#counted.get(`${consumer}/${instance}`) ?? { consumer, before: NONE, now: NONE };
    // Fewer calls than before: the process was started again, and what the earlier one counted still happened.
    const before = counts.calls < known.now.calls ? plus(known.before, known.now) : known.before;
    this.#counted.set(`${consumer}/${instance}`, { consumer, before, now: counts });
  }
}

function areCounts(counts: Partial<Counts>): counts is Counts {
  return COUNTED.every((name) => typeof counts[name] === 'number');
}

function plus(one: Counts, other: Counts): Counts {
  return {
    calls: one.calls + other.calls,
    refused: one.refused + other.refused,
    healed: one.healed + other.healed,
    failed: one.failed + other.failed,
  };
}
