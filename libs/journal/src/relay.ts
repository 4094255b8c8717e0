import { isTransientFault, TransientFault } from '@twinkey/contracts';
import type { Client } from 'pg';
import { insideOf, type AnyDatabase } from './database.js';
import { FailingKeys } from './failing-keys.js';
import type { Log } from './log.js';
import { onOutboxAppended, type StoredOutboxMessage } from './outbox.js';
import {
  afterSending,
  courseAfter,
  databaseAway,
  isSuccess,
  turnTaken,
  type Course,
  type Pass,
} from './passes.js';
import { takeTurn } from './sql/claim-outbox.js';
import { markSent } from './sql/mark-sent.js';
import { outboxLag, type OutboxLag } from './sql/outbox-lag.js';

export interface RelayOptions {
  /**
   * Hands messages to the broker, in the order given for those of one order key; resolves when it has them all. A
   * rejection means that any of them may be sent again.
   */
  readonly send: (messages: readonly StoredOutboxMessage[]) => Promise<void>;
  /** How often to look when nothing is announced, 1,000 ms unless given. */
  readonly idleMs?: number;
  /** Messages per send, 100 unless given. */
  readonly batch?: number;
  readonly log?: Log;
}

/** Shorter than idle_in_transaction_session_timeout: the relay gives up before the server takes its turn away. */
const sendWithinMs = 30_000;

/**
 * Sends what the outbox holds: at least once, for ever, in order per order key. Any number of relays may serve one
 * schema; they take turns.
 *
 *     stopped --start--> passing <--wake, idleMs--> waiting
 *                           |  \--failure--> pausing (not to be woken) --> passing
 *                           +--stop--> draining --nothing left, failure or deadline--> stopped
 */
export class OutboxRelay {
  readonly #database: AnyDatabase;
  readonly #send: RelayOptions['send'];
  readonly #idleMs: number;
  readonly #batch: number;
  readonly #log: Log;
  readonly #failing = new FailingKeys();
  #client: Client | undefined;
  #running: Promise<void> | undefined;
  #stopping = false;
  #deadline = new AbortController();
  #woken = false;
  #databaseAway = false;
  #endWait: (() => void) | undefined;
  #stopListening: (() => void) | undefined;

  constructor(database: AnyDatabase, { send, idleMs = 1_000, batch = 100, log }: RelayOptions) {
    this.#database = database;
    this.#send = send;
    this.#idleMs = idleMs;
    this.#batch = batch;
    this.#log = log ?? insideOf(database).log;
  }

  start(): void {
    if (this.#running) return;
    this.#stopping = false;
    this.#deadline = new AbortController();
    this.#stopListening = onOutboxAppended(this.#database, () => {
      this.wake();
    });
    this.#running = this.#run();
  }

  /** Look now. Commits of this process do it by themselves. */
  wake(): void {
    this.#woken = true;
    if (!this.#stopping) this.#endWait?.();
  }

  /** Sends what can be sent within the deadline; the rest waits in the outbox for the next relay. */
  async stop({ withinMs = 5_000 }: { readonly withinMs?: number } = {}): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#stopListening?.();
    this.#stopping = true;
    this.#endWait?.();
    const deadline = setTimeout(() => {
      this.#deadline.abort();
      void this.#disconnect();
    }, withinMs);
    await running;
    clearTimeout(deadline);
    this.#running = undefined;
    await this.#disconnect();
  }

  /** What is due and not sent yet. */
  lag(): Promise<OutboxLag> {
    return outboxLag(this.#database);
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#woken = false;
      const pass = await this.#pass();
      const course = courseAfter(pass, {
        stopping: this.#stopping,
        woken: this.#woken,
        retryIn: this.#failing.nextRetryIn(performance.now()),
        idleMs: this.#idleMs,
      });
      if (course === 'end') return;
      if (course !== 'pass') await this.#wait(course);
    }
  }

  async #pass(): Promise<Pass> {
    try {
      const client = await this.#connected();
      const scope = this.#failing.scope(performance.now());
      const claimed = await takeTurn(client, this.#batch, scope);
      if (claimed === null) {
        await client.query('rollback');
        return turnTaken;
      }
      const messages = this.#failing.narrow(claimed);
      if (messages.length > 0) {
        const pause = await this.#trySending(messages);
        if (pause) {
          await client.query('rollback');
          return pause;
        }
        await markSent(client, messages);
      } else {
        await client.query('rollback');
      }
      const sent = { scope, claimed: claimed.length, sent: messages.length, batch: this.#batch };
      if (isSuccess(sent)) this.#failing.succeeded(scope);
      return afterSending(sent);
    } catch (error) {
      this.#noteLoss(error);
      await this.#disconnect();
      return databaseAway;
    }
  }

  async #trySending(messages: readonly StoredOutboxMessage[]): Promise<Pass | null> {
    try {
      await within(sendWithinMs, this.#deadline.signal, this.#send(messages));
      return null;
    } catch (error) {
      const retryAfterMs = isTransientFault(error) ? error.retryAfterMs : undefined;
      const pauseMs = this.#failing.failed(messages, performance.now(), retryAfterMs);
      const entities = [...new Set(messages.map(({ entity }) => entity))];
      this.#log.warn(
        { entities, messages: messages.length, pauseMs: Math.round(pauseMs), reason: String(error) },
        'Sending failed; the messages stay in the outbox',
      );
      return { pauseMs };
    }
  }

  async #wait({ waitMs, wakes }: Exclude<Course, string>): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      const end = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#endWait = () => {
        if (wakes || this.#stopping) end();
      };
    });
    this.#endWait = undefined;
  }

  async #connected(): Promise<Client> {
    if (this.#client) return this.#client;
    const client = insideOf(this.#database).newClient({}, { pipeline: true });
    await client.connect();
    if (this.#databaseAway) this.#log.info({}, 'The relay has its database again');
    this.#databaseAway = false;
    this.#client = client;
    return client;
  }

  /** Said once per outage and not with every attempt. */
  #noteLoss(error: unknown): void {
    const reason = String(insideOf(this.#database).toFault(error));
    if (this.#databaseAway) this.#log.debug({ reason }, 'The relay still has no database');
    else this.#log.warn({ reason }, 'The relay lost its database; it tries again until it is back');
    this.#databaseAway = true;
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    // A connection that is broken already cannot say goodbye, and its turn ended with it.
    await client?.end().catch(() => undefined);
  }
}

/** Stops waiting for `work`, which may go on all the same. */
async function within(ms: number, stopped: AbortSignal, work: Promise<void>): Promise<void> {
  let giveUp: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    giveUp = () => {
      reject(new TransientFault('send-timeout', 'The broker did not answer in time.'));
    };
  });
  const timer = setTimeout(giveUp, ms);
  stopped.addEventListener('abort', giveUp);
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    stopped.removeEventListener('abort', giveUp);
  }
}
