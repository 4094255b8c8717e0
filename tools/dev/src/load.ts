// The sample consumers: several processes whose instances call the AI data plane without pause.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import type { SampleConsumer } from './sample-fleet.js';

const script = fileURLToPath(new URL('../../../examples/consumer-node/bundle/main.mjs', import.meta.url));

export interface LoadCounters {
  readonly instances: number;
  readonly calls: number;
  /** Every answer 401 or 403 that any call saw, healed or not. */
  readonly refused: number;
}

/** One line of a consumer process: the counters of one of its instances so far. */
interface CounterLine {
  readonly instance: string;
  readonly calls: number;
  readonly refused: number;
}

export interface LoadSettings {
  readonly consumers: readonly SampleConsumer[];
  readonly endpoints: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly callsPerSecond: number;
  readonly onTrouble?: (consumer: string, how: string) => void;
}

export class Load {
  readonly #children: readonly Child[];
  readonly #counters = new Map<string, CounterLine>();

  constructor(private readonly settings: LoadSettings) {
    this.#children = settings.consumers.map((sample) => this.#child(sample));
  }

  start(): void {
    for (const child of this.#children) child.start();
  }

  process(consumer: string): Child | undefined {
    return this.#children.find(({ settings }) => settings.name === consumer);
  }

  counters(): LoadCounters {
    let calls = 0;
    let refused = 0;
    for (const line of this.#counters.values()) {
      calls += line.calls;
      refused += line.refused;
    }
    return { instances: this.#counters.size, calls, refused };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
  }

  #child({ consumer, instances, accounts }: SampleConsumer): Child {
    const { env, endpoints, folder, callsPerSecond, onTrouble } = this.settings;
    const task = {
      consumer,
      instances,
      callsPerSecond,
      accounts: accounts.map((name) => ({ name, endpoint: endpoints[name] })),
    };
    return new Child({
      name: consumer,
      script,
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
    const parsed = JSON.parse(line) as Partial<CounterLine>;
    if (
      typeof parsed.instance !== 'string' ||
      typeof parsed.calls !== 'number' ||
      typeof parsed.refused !== 'number'
    )
      return;
    this.#counters.set(`${consumer}/${parsed.instance}`, {
      instance: parsed.instance,
      calls: parsed.calls,
      refused: parsed.refused,
    });
  }
}
