// One connection of a process: it begins a transaction on the server with the first statement that reaches it, and
// loses it with the process, with the connection, or when it says nothing for a minute.
import type { ClientConfig, QueryResult } from 'pg';
import type { Actor } from './actor.js';
import type { Gate, WorldDatabase } from './database.js';
import type { Schema, Statement } from './server.js';

/** The time after which the server ends a transaction that says nothing. */
const IDLE_IN_TRANSACTION_MS = 60_000;

const EMPTY = { rows: [], rowCount: 0, command: '', oid: 0, fields: [] } as const;

/** As much of `pg`'s Client, and of a pool's client, as Kysely, writer and relay use. */
export class Session {
  #lost = false;
  #inTransaction = false;
  #begun = false;
  #marked: Statement | undefined;
  #saidAt = 0;
  #whenLost: (() => void) | undefined;
  #asked: Promise<void> = Promise.resolve();

  readonly #schema: Schema;

  constructor(
    private readonly database: WorldDatabase,
    readonly actor: Actor,
    private readonly config: ClientConfig,
  ) {
    this.#schema = schemaOf(config);
  }

  on(): this {
    return this;
  }

  once(name: string, listener: () => void): this {
    if (name === 'end') this.#whenLost = listener;
    return this;
  }

  connect(): Promise<void> {
    return this.#reach(() => Promise.resolve());
  }

  release(): void {
    this.database.sessions.delete(this);
  }

  end(): Promise<void> {
    this.lose();
    return Promise.resolve();
  }

  /** The connection is gone, and an open transaction with it. */
  lose(): void {
    this.#lost = true;
    this.database.sessions.delete(this);
    this.#letGo(true);
    this.#whenLost?.();
  }

  query(
    asked: string | { readonly text: string; readonly values?: readonly unknown[] },
    values: readonly unknown[] = [],
  ): Promise<QueryResult> {
    const statement =
      typeof asked === 'string' ? { text: asked, values } : { text: asked.text, values: asked.values ?? [] };
    // What is asked before the answer is there arrives in its order.
    const answer = this.#asked.then(() =>
      this.#reach(
        () => this.#answer(statement),
        () => this.#waitsFor(statement.text),
      ),
    );
    this.#asked = answer.then(
      () => undefined,
      () => undefined,
    );
    return answer;
  }

  /** All but the holder of a transaction wait for its end; who only asks for its turn, or lets go, does not. */
  #waitsFor(text: string): boolean {
    if (text === 'begin') return !this.#isRelay;
    if (text === 'commit') return this.#marked !== undefined;
    return text !== 'rollback' && !text.includes('pg_try_advisory_xact_lock');
  }

  /** The way to the server and back; a process may die or be cut off on both. */
  #reach<Result>(work: () => Promise<Result>, waits: () => boolean = () => false): Promise<Result> {
    const { timeline, chance, faults } = this.database;
    const { actor } = this;
    return new Promise((resolve, reject) => {
      const arrive = async (): Promise<void> => {
        if (this.database.down) {
          reject(refusedConnection());
          return;
        }
        if (this.#lost) {
          reject(brokenConnection());
          return;
        }
        const gate = this.#gate;
        if (gate.holder !== null && gate.holder !== this && waits()) {
          gate.line.push({ session: this, go: arrive });
          return;
        }
        const dies = faults.strikes('process-crash');
        if (dies && chance.happens(0.5)) {
          actor.die();
          return;
        }
        try {
          const result = await work();
          if (!dies) resolve(result);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
        if (dies) actor.die();
      };
      timeline.after(chance.between(0.2, 3), arrive, actor);
    });
  }

  async #answer(statement: Statement): Promise<QueryResult> {
    const text = this.database.bend(statement.text);
    const { values } = statement;
    this.#saidAt = this.database.timeline.now;
    if (text === 'begin') return this.#begin();
    if (text === 'commit') return this.#commit();
    if (text === 'rollback') {
      this.#letGo(true);
      return EMPTY as never;
    }
    if (text.includes('pg_try_advisory_xact_lock')) return this.#takeTurn();
    if (text.startsWith('update outbox set sent_at')) {
      this.#marked = statement;
      return EMPTY as never;
    }
    if (/^\s*select clock_timestamp\(\) as now\s*$/.test(text))
      return {
        ...EMPTY,
        rows: [{ now: new Date(this.database.timeline.now + this.database.skewMs) }],
      } as never;
    await this.#willForget(text, values);
    const result = await this.#execute({ text, values });
    if (!this.#inTransaction && isWrite(text)) this.#mayLoseAnswer();
    return result;
  }

  /** Writer and relay have a connection of their own; only the relay opens transactions on it. */
  get #isRelay(): boolean {
    return this.config.query_timeout !== undefined;
  }

  get #gate(): Gate {
    return this.database.gate(this.#schema);
  }

  async #willForget(text: string, values: readonly unknown[]): Promise<void> {
    if (!this.database.forgetsIntents || !text.startsWith('with change as')) return;
    this.database.forgotten.delete(this.actor);
    if (!JSON.stringify(values).includes('RegenerationIntended')) return;
    const { server } = this.database;
    const { rows } = (await server.run('rotator', 'select name, version, state from rotator.stream')) as {
      rows: { name: string; version: number; state: unknown }[];
    };
    this.database.forgotten.set(this.actor, () => {
      for (const { name, version, state } of rows)
        void server.run(
          'rotator',
          `update rotator.stream set version = ${version}, state = '${JSON.stringify(state)}' where name = '${name}' and version = ${version + 1}`,
        );
      this.database.forget('rotator');
    });
  }

  /** A transaction begins on the server with the first statement that reaches it. */
  #execute(statement: Statement): Promise<QueryResult> {
    return this.database.execute(this.#schema, statement, async () => {
      if (!this.#inTransaction || this.#isRelay || this.#begun) return;
      this.#begun = true;
      await this.database.end(this.#schema, 'begin');
    });
  }

  #begin(): QueryResult {
    this.#inTransaction = true;
    this.#begun = false;
    // The relay's transaction lasts as long as the broker takes; it holds its turn and nothing else.
    if (!this.#isRelay) {
      this.#gate.holder = this;
      this.#watchIdle();
    }
    return EMPTY as never;
  }

  #watchIdle(): void {
    const { timeline } = this.database;
    timeline.after(
      IDLE_IN_TRANSACTION_MS,
      () => {
        if (this.#gate.holder !== this) return;
        if (timeline.now - this.#saidAt >= IDLE_IN_TRANSACTION_MS) this.lose();
        else this.#watchIdle();
      },
      null,
    );
  }

  async #commit(): Promise<QueryResult> {
    if (this.#marked !== undefined) {
      await this.#execute(this.#marked);
    } else if (this.#begun) {
      await this.database.end(this.#schema, 'commit');
    }
    const wrote = this.#begun || this.#marked !== undefined;
    this.#begun = false;
    this.#letGo(false);
    if (wrote) this.#mayLoseAnswer();
    return EMPTY as never;
  }

  #takeTurn(): QueryResult {
    const gate = this.#gate;
    const mine = gate.relay === null;
    if (mine) {
      gate.relay = this;
    }
    return { ...EMPTY, rows: [{ mine }] } as never;
  }

  #mayLoseAnswer(): void {
    if (!this.database.faults.strikes('commit-unknown')) return;
    this.lose();
    throw brokenConnection();
  }

  #letGo(rollback: boolean): void {
    const gate = this.#gate;
    this.#marked = undefined;
    this.#inTransaction = false;
    if (gate.relay === this) gate.relay = null;
    if (gate.holder !== this) return;
    if (rollback && this.#begun) void this.database.end(this.#schema, 'rollback');
    this.#begun = false;
    gate.holder = null;
    const { timeline } = this.database;
    for (const { go, session } of gate.line.splice(0)) timeline.soon(go, session.actor);
  }
}

function isWrite(text: string): boolean {
  return /\b(?:insert|update|delete)\b/i.test(text);
}

function refusedConnection(): Error {
  return Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
}

function brokenConnection(): Error {
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
}

function schemaOf({ options }: ClientConfig): Schema {
  return /search_path=(\w+)/.exec(options ?? '')?.[1] ?? 'public';
}
