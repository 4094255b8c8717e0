// Asked twice under one key, done once: the audit remembers under each key what was asked and what was answered.
import { createHash } from 'node:crypto';
import type { Database } from '@twinkey/journal';
import { HttpProblem } from '@twinkey/service';
import { sql } from 'kysely';
import type { ConsoleTables } from './read-model/tables.js';

type Queries = Database<ConsoleTables>['kysely'];

/** A request that changes something. */
export interface Question {
  /** The caller's, if it sent one. */
  readonly key: string | undefined;
  /** Of all that makes it this request and no other, who asks among it: nobody is told what others were answered. */
  readonly hash: string;
}

/** What the audit keeps beside what was asked. */
interface Remembered {
  readonly question: string;
  readonly answer?: unknown;
}

export function questionOf(key: string | undefined, ...asked: readonly unknown[]): Question {
  return { key, hash: createHash('sha256').update(JSON.stringify(asked)).digest('base64url') };
}

/** The details of an audited request that carry what a repetition of it needs. */
export function remembered({ hash }: Question, details: object, answer?: unknown): string {
  return JSON.stringify({ ...details, question: hash, ...(answer === undefined ? {} : { answer }) });
}

/** What was audited under the key of the question: null when nothing was. Throws when it was another question. */
export async function earlier(
  db: Queries,
  { key, hash }: Question,
): Promise<{ readonly id: string; readonly answer: unknown } | null> {
  if (key === undefined) return null;
  const row = await db
    .selectFrom('command')
    .select(['command_id', 'details'])
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { question, answer } = (row.details ?? {}) as Partial<Remembered>;
  if (question !== hash) throw keyReused();
  return { id: row.command_id, answer };
}

export function keyReused(): HttpProblem {
  return new HttpProblem(
    422,
    'idempotency-key-reused',
    'This Idempotency-Key was used for another request. Use a new key for a new request.',
  );
}

/** Keeps others with the same key out until the work is over, also those that another replica answers. */
export async function alone<Answer>(
  db: Queries,
  { key }: Question,
  work: () => Promise<Answer>,
): Promise<Answer> {
  if (key === undefined) return work();
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ alone: boolean }>`
      select pg_try_advisory_xact_lock(hashtextextended(${`idempotency ${key}`}, 0)) as alone`.execute(trx);
    if (rows[0]?.alone === true) return work();
    throw new HttpProblem(
      409,
      'idempotency-key-in-use',
      'The first request with this Idempotency-Key is still under way. Ask again in a moment for its answer.',
      { retryAfterSeconds: 1 },
    );
  });
}
