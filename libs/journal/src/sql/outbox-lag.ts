import { sql } from 'kysely';
import { executorOf, type Queryable } from '../database.js';

export interface OutboxLag {
  readonly waiting: number;
  /** Age of the oldest message that should have left by now, in seconds. */
  readonly oldestSeconds: number;
}

/** What is due and not sent; reads the partial index of waiting rows only. */
export async function outboxLag(db: Queryable): Promise<OutboxLag> {
  const { rows } = await sql<OutboxLag>`
    select count(*) as "waiting",
           coalesce(extract(epoch from clock_timestamp() - min(greatest(appended_at, not_before))), 0)::float8
             as "oldestSeconds"
    from outbox
    where sent_at is null and (not_before is null or not_before <= clock_timestamp())`.execute(
    executorOf(db),
  );
  return rows[0] ?? { waiting: 0, oldestSeconds: 0 };
}
