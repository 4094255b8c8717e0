// PostgreSQL as the services of the world see it: the real server and their own SQL, one statement at a time, with the
// world's time, its outages, and commits whose answer is lost.
//
// Transactions are run one after the other per service; what they do to each other side by side is for the specs of
// the tables. What the server does with time (`clock_timestamp()`, `now()`) gets the world's time as a parameter. The
// relay's turn, an advisory lock that lasts while it waits for the broker, is kept here instead of on the server.
import type { DatabaseDriver } from '@twinkey/journal';
import type { ClientConfig, QueryResult } from 'pg';
import type { Actor } from './actor.js';
import type { Chance } from './chance.js';
import type { Faults } from './faults.js';
import { Remembered } from './remembered.js';
import type { Schema, Server, Statement } from './server.js';
import { Session } from './session.js';
import type { Timeline } from './timeline.js';

/** Whoever has a transaction open is alone; the others stand in line. */
export interface Gate {
  holder: Session | null;
  relay: Session | null;
  readonly line: { readonly session: Session; readonly go: () => Promise<void> }[];
}

export class WorldDatabase {
  /** Nobody gets an answer. */
  down = false;
  /** For bugs: what a statement becomes before it reaches the server. */
  bend: (text: string) => string = (text) => text;
  /** For bugs: what a process intended is gone with it. */
  forgetsIntents = false;
  queries = 0;
  readonly #gates = new Map<Schema, Gate>();
  readonly #remembered = new Map<Schema, Remembered>();
  readonly sessions = new Set<Session>();

  constructor(
    readonly server: Server,
    readonly timeline: Timeline,
    readonly chance: Chance,
    readonly faults: Faults,
    readonly skewMs: number,
  ) {}

  driver(actor: Actor): DatabaseDriver {
    const session = (config: ClientConfig) => {
      const made = new Session(this, actor, config);
      this.sessions.add(made);
      return made;
    };
    actor.atDeath(() => {
      this.forgotten.get(actor)?.();
      for (const one of this.sessions) if (one.actor === actor) one.lose();
    });
    return {
      pool: (config) => new SessionPool(() => session(config)) as never,
      client: (config) => session(config) as never,
    };
  }

  /** For bugs: how to take back what the process intended last. */
  readonly forgotten = new Map<Actor, () => void>();

  forget(schema: Schema): void {
    this.#remembered.get(schema)?.forget();
  }

  gate(schema: Schema): Gate {
    let gate = this.#gates.get(schema);
    if (gate === undefined) this.#gates.set(schema, (gate = { holder: null, relay: null, line: [] }));
    return gate;
  }

  /** All connections end; what was not committed is gone. */
  goDown(): void {
    this.down = true;
    for (const session of this.sessions) session.lose();
  }

  /** `begin`: runs before whatever reaches the server. */
  execute(schema: Schema, statement: Statement, begin?: () => Promise<void>): Promise<QueryResult> {
    const now = new Date(Math.round(this.timeline.now + this.skewMs));
    return this.#memory(schema).answer(statement, now.getTime(), async (asked) => {
      await begin?.();
      this.queries += 1;
      return this.server.query(schema, asked, now);
    });
  }

  async end(schema: Schema, how: 'begin' | 'commit' | 'rollback'): Promise<void> {
    this.queries += 1;
    await this.server.query(schema, { text: how, values: [] }, new Date(0));
    if (how === 'rollback') this.#memory(schema).forget();
  }

  #memory(schema: Schema): Remembered {
    let remembered = this.#remembered.get(schema);
    if (remembered === undefined) this.#remembered.set(schema, (remembered = new Remembered(schema)));
    return remembered;
  }
}

/** As much of `pg`'s Pool as Kysely uses. */
class SessionPool {
  ended = false;
  constructor(private readonly open: () => Session) {}
  on(): this {
    return this;
  }
  connect(): Promise<Session> {
    return Promise.resolve(this.open());
  }
  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }
}
