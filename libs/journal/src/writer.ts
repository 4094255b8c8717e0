import { Interrupted } from '@twinkey/contracts';
import type { Client } from 'pg';
import { takeBatch } from './batch.js';
import type { Change, Committed, CommitRefused } from './change.js';
import { insideOf, type AnyDatabase } from './database.js';
import { codeOf } from './faults.js';
import type { Log } from './log.js';
import { announceAppended } from './outbox.js';
import { tellRecorded } from './recorded.js';
import { traced } from './traceparent.js';
import {
  commitStatement,
  plannerSettings,
  type CommitOutcome,
  type CommitStatement,
} from './sql/commit-changes.js';

interface Waiting {
  readonly change: Change;
  readonly resolve: (outcome: Committed | CommitRefused) => void;
  readonly reject: (error: unknown) => void;
}

/** Beyond this the statement's walks over the batch cost more than another commit would. */
const changesPerFlush = 512;
const attemptsPerFlush = 3;

/**
 * Commits changes in groups. `commit` puts a change in line; the first one starts a flush on the next turn of the
 * event loop, and everything that becomes ready while a flush is under way goes into the next one. A flush is one
 * statement on a connection of our own.
 *
 *     idle --commit--> flushing --line empty--> idle
 *     any --close--> closed (what is in line is still flushed, later commits are refused with Interrupted)
 */
export class Writer {
  readonly #database: AnyDatabase;
  readonly #log: Log;
  readonly #line: Waiting[] = [];
  #client: Promise<Client> | undefined;
  #flushing: Promise<void> | undefined;
  #closed = false;

  constructor(database: AnyDatabase, { log }: { readonly log?: Log } = {}) {
    this.#database = database;
    this.#log = log ?? insideOf(database).log;
  }

  /**
   * Resolves when the change is durable, or with the reason for which nothing of it was made; whatever else is
   * committed at the same time has no bearing on it.
   *
   * Rejects with a TransientFault when the database cannot be reached. With the code `database-connection-lost` the
   * change may have been made: load the stream before deciding anything.
   */
  commit(change: Change): Promise<Committed | CommitRefused> {
    if (this.#closed) return Promise.reject(new Interrupted('writer-closed', 'The writer is closed.'));
    // Here and not when it is flushed: the flush runs in whoever's turn it is.
    const outbox = traced(change.outbox);
    const committed = new Promise<Committed | CommitRefused>((resolve, reject) => {
      this.#line.push({ change: { ...change, outbox }, resolve, reject });
      this.#flushing ??= this.#flush();
    });
    return committed.then((outcome) => {
      if (outcome.committed) tellRecorded(this.#log, change);
      return outcome;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    const client = this.#client;
    this.#client = undefined;
    if (client) await (await client).end();
  }

  async #flush(): Promise<void> {
    await new Promise(setImmediate); // whoever resumes in this turn joins the first flush
    while (this.#line.length > 0) await this.#commitAll(takeBatch(this.#line, changesPerFlush));
    this.#flushing = undefined;
  }

  /** Settles every item: no error leaves here. */
  async #commitAll(batch: readonly Waiting[]): Promise<void> {
    let outcomes: readonly CommitOutcome[];
    try {
      outcomes = await this.#run(writeDown(batch.map(({ change }) => change)));
    } catch (error) {
      if (batch.length > 1 && isAboutData(error)) {
        // One change that cannot be stored (a zero byte in a name, say) must not take the others with it.
        for (const item of batch) await this.#commitAll([item]);
        return;
      }
      const reason = error instanceof NotStorable ? error.cause : insideOf(this.#database).toFault(error);
      for (const { reject } of batch) reject(reason);
      return;
    }
    const refused = new Map(outcomes.map((outcome) => [outcome.i, outcome.refused]));
    let appended = false;
    for (const [i, { change, resolve }] of batch.entries()) {
      const why = refused.get(i) ?? null;
      if (why === null) {
        appended ||= change.outbox.length > 0;
        resolve({ committed: true, version: change.expectedVersion + 1 });
      } else {
        resolve({ committed: false, why });
      }
    }
    if (appended) announceAppended(this.#database);
  }

  async #run(statement: CommitStatement): Promise<readonly CommitOutcome[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        const client = await this.#connected();
        const { rows } = await client.query<CommitOutcome>(statement);
        return rows;
      } catch (error) {
        const code = sqlState(error);
        if (code === undefined) this.#disconnect(); // no answer of the server: the connection is of no more use
        // Nothing was committed in either case, and the next attempt sees what the other transaction left.
        if ((code !== '40P01' && code !== '23505') || attempt === attemptsPerFlush) throw error;
        this.#log.debug({ code, statement: statement.name }, 'Flush repeated after a conflict');
      }
    }
  }

  #connected(): Promise<Client> {
    if (this.#client) return this.#client;
    const client = insideOf(this.#database).newClient(plannerSettings);
    const connected = client.connect().then(() => client);
    const forget = () => {
      if (this.#client === connected) this.#client = undefined;
    };
    client.once('end', forget);
    connected.catch(forget);
    this.#client = connected;
    return connected;
  }

  #disconnect(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.then((lost) => lost.end()).catch(() => undefined); // the failed query was reported already
  }
}

/** A change that could not even be written down: a circular state, an invalid date. */
class NotStorable extends Error {}

function writeDown(changes: readonly Change[]): CommitStatement {
  try {
    return commitStatement(changes);
  } catch (cause) {
    throw new NotStorable('A change cannot be written down.', { cause });
  }
}

function sqlState(error: unknown): string | undefined {
  const code = codeOf(error);
  return code !== undefined && /^(?=.*\d)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Classes 22 (data) and 23 (constraint), and a document or a list too large: repeating it changes nothing. */
function isAboutData(error: unknown): boolean {
  return error instanceof NotStorable || /^(22|23|54)/.test(sqlState(error) ?? '');
}
