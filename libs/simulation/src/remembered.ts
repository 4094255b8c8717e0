// Answers that cannot have changed since. Most of what idle services ask is whether there is something to do; asking the
// server each time took nine tenths of a world's time. Nothing is guessed: an answer is given again only if no table
// that it was read from was written since, and "is anything due?" is not asked before the time that the tables name.
import type { QueryResult } from 'pg';
import type { Statement } from './server.js';

type Run = (statement: Statement) => Promise<QueryResult>;

interface Due {
  readonly schema: string;
  /** How the statement is recognised. */
  readonly is: RegExp;
  /** From which moment on it finds something; null: never, as the tables stand. */
  readonly ask: string;
  readonly tables: readonly string[];
  /** The moment that the statement compares with, if it is not the time of the server. */
  readonly moment?: (values: readonly unknown[]) => unknown;
}

const DUE: readonly Due[] = [
  {
    schema: 'notifier',
    is: /^\s*\(select distinct account from nudge/,
    ask: `select case when exists (select from nudge) then '-infinity' else min(look_at) end as due from account`,
    tables: ['account', 'nudge'],
  },
  {
    schema: 'notifier',
    is: /^select "instance", "channel", "lease_until", "lapsed_at" from "instance" where "look_at" <=/,
    ask: 'select min(look_at) as due from instance',
    tables: ['instance'],
  },
  {
    schema: 'rotator',
    is: /^\s*select name from stream where look_again_at <=/,
    ask: 'select min(look_again_at) as due from stream',
    tables: ['stream'],
  },
  {
    schema: 'scheduler',
    is: /^\s*select \* from account\s+where look_at is not null/,
    ask: 'select min(look_at) as due from account',
    tables: ['account'],
    moment: (values) => values.find((value) => value instanceof Date),
  },
  {
    schema: 'scheduler',
    is: /^\s*with claimed as materialized \(\s+select account from account\s+where presence/,
    ask: `select min(declared_at) as due from account where presence in ('here', 'keys-disabled')`,
    tables: ['account'],
    moment: (values) => values.find((value) => value instanceof Date),
  },
];

/** What a heartbeat writes changes nothing that is looked at by the clock. */
const HEARTBEAT = /^\s*update instance\s+set seen_at/;
/** A statement that names none of these reads nothing that a heartbeat writes. */
const TOLD_BY_HEARTBEATS = /\b(?:seen_at|lease_until|lapsed_at|look_at|told)\b|\*/;
const EMPTY = { rows: [], rowCount: 0, command: 'SELECT', oid: 0, fields: [] };

/** What is known of a statement from its text. */
interface Kind {
  readonly due: Due | undefined;
  readonly written: readonly string[];
  readonly read: readonly string[];
  /** Its answer may be another one although nothing was written, and `due` does not say when. */
  readonly dependsOnTime: boolean;
}

const kinds = new Map<string, Kind>();

function kindOf(schema: string, text: string): Kind {
  const name = `${schema} ${text}`;
  let kind = kinds.get(name);
  if (kind === undefined) {
    kind = {
      due: DUE.find((one) => one.schema === schema && one.is.test(text)),
      written: tablesWritten(text),
      read: tablesRead(text),
      dependsOnTime: /\b(?:clock_timestamp|now)\(\)/.test(text),
    };
    kinds.set(name, kind);
  }
  return kind;
}

export class Remembered {
  readonly #written = new Map<string, number>();
  readonly #answers = new Map<string, { readonly stamp: string; readonly answer: QueryResult }>();
  readonly #due = new Map<Due, { readonly stamp: string; readonly at: number }>();
  #writes = 0;

  constructor(private readonly schema: string) {}

  async answer(statement: Statement, now: number, run: Run): Promise<QueryResult> {
    const { text, values } = statement;
    const { due, written, read, dependsOnTime } = kindOf(this.schema, text);
    if (due !== undefined && (await this.#isNotDue(due, values, now, run)))
      return { ...EMPTY } as QueryResult;
    if (written.length > 0 || dependsOnTime || due !== undefined) {
      const answer = await run(statement);
      for (const table of written) this.#written.set(table, (this.#writes += 1));
      return answer;
    }
    const key = `${text}\n${JSON.stringify(values)}`;
    const stamp = this.#stamp(read);
    const known = this.#answers.get(key);
    if (known?.stamp === stamp) return known.answer;
    const answer = await run(statement);
    this.#answers.set(key, { stamp, answer });
    return answer;
  }

  /** A transaction was taken back: whatever it had written is as it was before. */
  forget(): void {
    this.#answers.clear();
    this.#due.clear();
  }

  async #isNotDue(due: Due, values: readonly unknown[], now: number, run: Run): Promise<boolean> {
    const stamp = this.#stamp(due.tables);
    let known = this.#due.get(due);
    if (known?.stamp !== stamp) {
      const { rows } = (await run({ text: due.ask, values: [] })) as {
        rows: { due: Date | number | null }[];
      };
      const at = rows[0]?.due ?? null;
      known = { stamp, at: at === null ? Infinity : Number(at) };
      this.#due.set(due, known);
    }
    const moment = due.moment?.(values);
    return (moment instanceof Date ? moment.getTime() : now) < known.at;
  }

  #stamp(tables: readonly string[]): string {
    return tables.map((table) => this.#written.get(table) ?? 0).join();
  }
}

function tablesRead(text: string): readonly string[] {
  const tables = [...text.matchAll(/\b(?:from|join)\s+"?(\w+)"?/gi)].map(([, table = '']) => table);
  return tables.includes('instance') && TOLD_BY_HEARTBEATS.test(text)
    ? [...tables, 'instance.lease']
    : tables;
}

function tablesWritten(text: string): readonly string[] {
  if (HEARTBEAT.test(text)) return ['instance.lease'];
  const tables = [...text.matchAll(/(?:\binsert into|(?<!for )\bupdate|\bdelete from)\s+"?(\w+)"?/gi)]
    .map(([, table = '']) => table)
    .filter((table) => table !== 'set' && table !== 'of');
  return tables.includes('instance') ? [...tables, 'membership'] : tables;
}
