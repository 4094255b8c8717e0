import { accountName, saidOfConsumer, type Message, type RegistryEvent } from '@twinkey/contracts';
import { rememberMessage, type Database } from '@twinkey/journal';
import { sql } from 'kysely';
import { repeatDeclarations } from '../declarations.js';
import { noteDeclaration, type Trx } from './declarations.js';
import { lockAccount } from './lock-account.js';
import type { ConsoleTables } from './tables.js';

const HANDLER = 'registry-events';

/** Takes one event into the read model; the sender's version decides which of two is newer. `false`: known already. */
export async function recordRegistryEvent(
  db: Database<ConsoleTables>,
  message: Message<RegistryEvent>,
): Promise<boolean> {
  return db.kysely.transaction().execute(async (trx) => {
    if (!(await rememberMessage(trx, HANDLER, message.id))) return false;
    await note(trx, message.data);
    return true;
  });
}

async function note(trx: Trx, { version, at, what }: RegistryEvent): Promise<void> {
  switch (what.event) {
    case 'account-declared': {
      const { settings, nextDueAt } = what;
      await lockAccount(trx, settings.account, accountName(settings.account));
      await trx
        .updateTable('account')
        .set({
          settings: JSON.stringify(settings),
          settings_version: version,
          next_due_at: nextDueAt ?? null,
          withdrawn_at: null,
          withdrawn_reason: null,
        })
        .where('account', '=', settings.account)
        .where('settings_version', '<', version)
        .execute();
      return;
    }
    case 'account-withdrawn':
      await lockAccount(trx, what.account, accountName(what.account));
      await trx
        .updateTable('account')
        .set({
          settings_version: version,
          next_due_at: null,
          withdrawn_at: at,
          withdrawn_reason: what.reason,
        })
        .where('account', '=', what.account)
        .where('settings_version', '<', version)
        .execute();
      return;
    case 'consumers-changed':
      await lockAccount(trx, what.account, accountName(what.account));
      await trx
        .updateTable('account')
        .set({ consumers: JSON.stringify(what.consumers), consumers_version: version })
        .where('account', '=', what.account)
        .where('consumers_version', '<', version)
        .execute();
      return;
    case 'use-told':
      await lockAccount(trx, what.account, accountName(what.account));
      await trx
        .updateTable('account')
        .set({ use_told: JSON.stringify(what.consumers), use_told_version: version, use_told_at: at })
        .where('account', '=', what.account)
        .where('use_told_version', '<', version)
        .execute();
      return;
    case 'consumer-declared':
    case 'consumer-withdrawn': {
      const said = saidOfConsumer({ version, what });
      if (said !== null) await noteDeclaration(trx, { ...said, at: new Date(at) });
      return;
    }
    case 'service-alive':
      // It lives, and may have been restored from a backup: what it must know is said again now and then.
      if (what.service === 'notifier') await repeatDeclarations(trx, new Date(at));
      await trx
        .insertInto('service_life')
        .values({ service: what.service, started_at: what.startedAt, last_seen_at: at })
        .onConflict((conflict) =>
          conflict.column('service').doUpdateSet({
            started_at: sql<string>`greatest(service_life.started_at, excluded.started_at)`,
            last_seen_at: sql<string>`greatest(service_life.last_seen_at, excluded.last_seen_at)`,
          }),
        )
        .execute();
      return;
  }
}
