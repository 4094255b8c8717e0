import { sql } from 'kysely';
import { accountName, type AccountId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

const HANDLER = 'switch-requested';

/**
 * The inbox of switch requests: true when this one is seen for the first time. Makes the row of an account that nobody
 * has declared yet; one that is there is left as it is.
 */
export async function rememberRequest(trx: Trx, messageId: string, account: AccountId): Promise<boolean> {
  const { rows } = await sql`
    with kept as (
      insert into account (account, name) values (${account}, ${accountName(account)})
      on conflict do nothing
    )
    insert into inbox (handler, message_id) values (${HANDLER}, ${messageId})
    on conflict do nothing
    returning 1`.execute(trx);
  return rows.length === 1;
}
