import { sql } from 'kysely';
import type { SchedulerDatabase, AccountRow } from '../tables.js';

/** Every account that the file or discovery names. No locks: a look, not a claim. */
export async function listAccounts(database: SchedulerDatabase): Promise<readonly AccountRow[]> {
  const { rows } = await sql<AccountRow>`
    select * from account where listed order by account`.execute(database.kysely);
  return rows;
}
