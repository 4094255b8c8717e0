import {
  accountName,
  type Fingerprint,
  type KeySlot,
  type Message,
  type RotationEvent,
} from '@twinkey/contracts';
import { rememberMessage, type Database } from '@twinkey/journal';
import { sql, type Transaction } from 'kysely';
import { lockAccount } from './lock-account.js';
import { tellRotation, type StoryEvent } from './rotation-story.js';
import type { ConsoleTables } from './tables.js';

type Db = Database<ConsoleTables>;
type Trx = Transaction<ConsoleTables>;

const HANDLER = 'rotation-events';

/**
 * Takes one event into the read model; `false` when it was known already. Late and reordered events find their
 * place by their sequence: the rotation is told anew from all of its events, the account's facts are guarded by
 * numbers that only grow.
 */
export async function recordRotationEvent(db: Db, message: Message<RotationEvent>): Promise<boolean> {
  const event = message.data;
  return db.kysely.transaction().execute(async (trx) => {
    await lockAccount(trx, event.account, accountName(event.account));
    if (!(await rememberMessage(trx, HANDLER, message.id))) return false;
    if (await isKnown(trx, event)) return false;
    if (event.rotationId !== undefined) await retellRotation(trx, event.rotationId, event);
    await noteFacts(trx, event);
    await appendToFeed(trx, event);
    return true;
  });
}

async function isKnown(trx: Trx, { account, sequence }: RotationEvent): Promise<boolean> {
  const row = await trx
    .selectFrom('rotation_event')
    .select('sequence')
    .where('account', '=', account)
    .where('sequence', '=', sequence)
    .executeTakeFirst();
  return row !== undefined;
}

async function retellRotation(trx: Trx, rotation: string, event: RotationEvent): Promise<void> {
  const rows = await trx
    .selectFrom('rotation_event')
    .select(['sequence', 'at', 'what'])
    .where('rotation', '=', rotation)
    .execute();
  const events: StoryEvent[] = [
    ...rows.map(({ sequence, at, what }) => ({ sequence, at: at.toISOString(), what })),
    { sequence: event.sequence, at: event.at, what: event.what },
  ].sort((a, b) => a.sequence - b.sequence);
  const story = tellRotation(events);
  const firstHeardAt = events[0]?.at ?? event.at;

  const told = {
    state: story.state,
    requested_by: story.by,
    ...(story.scope === null ? {} : { scope: story.scope, slot: story.slot }),
    reason: story.reason,
    step: story.step,
    steps: JSON.stringify(story.steps),
    waiting: toJson(story.waiting),
    halt: toJson(story.halt),
    refusal: toJson(story.refusal),
    waived: JSON.stringify(story.waived),
    completed_at: story.completedAt,
    seconds: story.seconds,
    keys_replaced: story.keysReplaced,
    last_sequence: story.lastSequence,
    last_event_at: story.lastEventAt ?? event.at,
  };
  await trx
    .insertInto('rotation')
    .values({ rotation, account: event.account, ...told, requested_at: story.requestedAt ?? firstHeardAt })
    .onConflict((conflict) =>
      conflict.column('rotation').doUpdateSet({
        ...told,
        requested_at:
          story.requestedAt ?? sql<string>`coalesce(rotation.asked_at, ${firstHeardAt}::timestamptz)`,
      }),
    )
    .execute();
}

async function noteFacts(trx: Trx, { account, sequence, at, what }: RotationEvent): Promise<void> {
  switch (what.event) {
    case 'requested':
      for (const { slot, fingerprint } of what.retire)
        await nameKey(trx, account, slot, fingerprint, sequence);
      return;
    case 'published':
      await nameKey(trx, account, what.slot, what.fingerprint, sequence);
      await trx
        .updateTable('account')
        .set({
          published_slot: what.slot,
          published_generation: what.generation,
          published_fingerprint: what.fingerprint,
          published_at: at,
        })
        .where('account', '=', account)
        .where('published_generation', '<', what.generation)
        .execute();
      return;
    case 'retired': {
      const retired = { retired_at: at, retired_by: what.by };
      await trx
        .insertInto('account_key')
        .values({ account, slot: what.slot, fingerprint: what.fingerprint, ...retired, named_sequence: 0 })
        .onConflict((conflict) => conflict.columns(['account', 'slot', 'fingerprint']).doUpdateSet(retired))
        .execute();
      return;
    }
    case 'drift':
      await trx
        .updateTable('account')
        .set({
          drift: JSON.stringify({ kind: what.kind, detail: what.detail, at }),
          drift_sequence: sequence,
        })
        .where('account', '=', account)
        .where('drift_sequence', '<', sequence)
        .execute();
      return;
    case 'drift-over':
      // Kept, so that people see that there was one: when it ended, and how.
      await sql`
        update account set drift = drift || ${JSON.stringify({ over: { how: what.how, at } })}::jsonb,
          drift_sequence = ${sequence}
        where account = ${account} and drift is not null and drift_sequence < ${sequence}`.execute(trx);
      return;
    default:
      return;
  }
}

async function nameKey(
  trx: Trx,
  account: string,
  slot: KeySlot,
  fingerprint: Fingerprint,
  sequence: number,
): Promise<void> {
  await trx
    .insertInto('account_key')
    .values({ account, slot, fingerprint, named_sequence: sequence })
    .onConflict((conflict) =>
      conflict.columns(['account', 'slot', 'fingerprint']).doUpdateSet({
        named_sequence: sql<number>`greatest(account_key.named_sequence, excluded.named_sequence)`,
      }),
    )
    .execute();
}

/** The last statement of its transaction: it holds the lock that every other event waits for. */
async function appendToFeed(trx: Trx, event: RotationEvent): Promise<void> {
  await sql`
    with turn as (update feed set position = position + 1 returning position)
    insert into rotation_event (account, sequence, rotation, at, what, position)
    select ${event.account}, ${event.sequence}, ${event.rotationId ?? null}, ${event.at},
           ${JSON.stringify(event.what)}::jsonb, position
    from turn`.execute(trx);
}

function toJson(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}
