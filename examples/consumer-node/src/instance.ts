import { connect, type Twinkey } from '@twinkey/consumer';
import { setTimeout as wait } from 'node:timers/promises';
import type { Task, TaskAccount } from './task.js';

/** What one instance counted since its start. */
export interface Counters {
  calls: number;
  /** Every answer 401 or 403 that any call saw, healed by the repetition or not. */
  refused: number;
  /** Refused calls whose repetition with a newer key went through. */
  healed: number;
  /** Calls that got no answer, or a 5xx. */
  failed: number;
  switched: number;
}

/** Usage records tell consumers from others by the first word of it. */
const USER_AGENT = 'twinkey-consumer/0.1';
const CALL_WITHIN_MS = 10_000;
/** Enough for any pace that a task may ask for; a data plane that hangs must not collect calls without end. */
const MAX_IN_FLIGHT = 64;

/** One instance: registered on its own, calling its accounts in turn. */
export class Instance {
  readonly counters: Counters = { calls: 0, refused: 0, healed: 0, failed: 0, switched: 0 };
  readonly #inFlight = new Set<Promise<void>>();
  #twinkey: Twinkey | undefined;

  constructor(
    readonly name: string,
    private readonly task: Task,
  ) {}

  /** Runs until the signal aborts; then ends what is in flight and says goodbye. */
  async run(signal: AbortSignal): Promise<void> {
    const { consumer, accounts } = this.task;
    this.#twinkey = await connect({
      consumer,
      name: this.name,
      accounts: accounts.map(({ name }) => name),
      startWithinSeconds: 600,
      signal,
      listeners: {
        switched: () => (this.counters.switched += 1),
        refused: ({ answers, healed }) => {
          this.counters.refused += answers;
          if (healed) this.counters.healed += 1;
        },
        lapsed: ({ reason }) => {
          console.error(`${this.name}: the notifier is silent (${reason}); going on with the keys at hand`);
        },
        error: ({ message }) => {
          console.error(`${this.name}: ${message}`);
        },
      },
    });
    await this.#callInTurn(this.#twinkey, signal);
    await Promise.all(this.#inFlight);
    await this.#twinkey.close();
  }

  /** The generation in use, by account. */
  generations(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      this.#twinkey?.accounts.map(({ name, generation }) => [name, generation]) ?? [],
    );
  }

  async #callInTurn(twinkey: Twinkey, signal: AbortSignal): Promise<void> {
    const { accounts, callsPerSecond } = this.task;
    const pauseMs = 1000 / callsPerSecond;
    // Instances that start together shall not call together.
    let dueAt = performance.now() + Math.random() * pauseMs;
    for (let turn = 0; !signal.aborted; turn += 1) {
      const account = accounts[turn % accounts.length];
      if (account !== undefined && this.#inFlight.size < MAX_IN_FLIGHT)
        this.#start(this.#call(twinkey, account));
      dueAt = Math.max(dueAt + pauseMs, performance.now() - 1000);
      await pause(dueAt - performance.now(), signal);
    }
  }

  #start(call: Promise<void>): void {
    this.#inFlight.add(call);
    void call.finally(() => this.#inFlight.delete(call));
  }

  async #call(twinkey: Twinkey, { name, endpoint, path }: TaskAccount): Promise<void> {
    this.counters.calls += 1;
    try {
      const answer = await twinkey
        .account(name)
        .fetch(new URL(path, endpoint.endsWith('/') ? endpoint : `${endpoint}/`), {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'User-Agent': USER_AGENT },
          body: JSON.stringify({ documents: [{ id: '1', text: 'twinkey' }] }),
          signal: AbortSignal.timeout(CALL_WITHIN_MS),
        });
      await answer.arrayBuffer();
      // A 401 was counted by the listener, once or twice.
      if (answer.status === 403) this.counters.refused += 1;
      else if (answer.status >= 500) this.counters.failed += 1;
    } catch (error) {
      this.counters.failed += 1;
      const reason = error instanceof Error ? (error.cause ?? error) : error;
      console.error(`${this.name}: ${name}: ${reason instanceof Error ? reason.message : String(reason)}`);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return;
  try {
    await wait(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
