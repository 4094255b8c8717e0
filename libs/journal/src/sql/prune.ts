import { sql } from 'kysely';
import { executorOf, type Queryable } from '../database.js';

export interface Pruned {
  readonly outbox: number;
  readonly inbox: number;
}

/** So many rows per statement: no lock and no transaction lasts long enough for a commit to notice. */
const slice = 5_000;

/**
 * Removes sent messages and inbox entries older than `keepMs`. Keep them longer than a message can be redelivered
 * or appended again: afterwards both would count as new.
 *
 * `skip locked`: replicas that prune at the same time share the work instead of waiting for each other.
 */
export async function prune(db: Queryable, { keepMs }: { readonly keepMs: number }): Promise<Pruned> {
  const executor = executorOf(db);
  const repeat = async (deleteSlice: () => Promise<{ numAffectedRows?: bigint }>) => {
    for (let removed = 0; ;) {
      const { numAffectedRows = 0n } = await deleteSlice();
      removed += Number(numAffectedRows);
      if (numAffectedRows < slice) return removed;
    }
  };
  const outbox = await repeat(() =>
    sql`delete from outbox where seq in (
          select seq from outbox
          where sent_at < clock_timestamp() - ${keepMs} * interval '1 millisecond'
          limit ${slice} for update skip locked)`.execute(executor),
  );
  const inbox = await repeat(() =>
    sql`delete from inbox where (handler, message_id) in (
          select handler, message_id from inbox
          where handled_at < clock_timestamp() - ${keepMs} * interval '1 millisecond'
          limit ${slice} for update skip locked)`.execute(executor),
  );
  return { outbox, inbox };
}
