import type { Database } from '@twinkey/journal';
import type { EventView } from '../api/answers.js';
import { shortEvent } from './short-event.js';
import type { ConsoleTables } from './tables.js';

type Db = Database<ConsoleTables>;

export interface EventsWanted {
  readonly after: number;
  readonly limit: number;
  /** Only events of this rotation. */
  readonly rotation?: string;
}

/** Events in the order in which they became known, which is the order a resumed stream needs. */
export async function eventsAfter(db: Db, wanted: EventsWanted): Promise<EventView[]> {
  const rows = await eventRows(db)
    .where('position', '>', wanted.after)
    .$if(wanted.rotation !== undefined, (query) => query.where('rotation', '=', wanted.rotation ?? null))
    .orderBy('position')
    .limit(wanted.limit)
    .execute();
  return rows.map(eventView);
}

/** The timeline of a rotation, in the order in which things happened. */
export async function timelineOf(db: Db, rotation: string): Promise<EventView[]> {
  const rows = await eventRows(db).where('rotation', '=', rotation).orderBy('sequence').execute();
  return rows.map(eventView);
}

/** The position of the newest event. */
export async function newestPosition(db: Pick<Db, 'kysely'>): Promise<number> {
  const row = await db.kysely.selectFrom('feed').select('position').executeTakeFirst();
  return row?.position ?? 0;
}

function eventRows(db: Db) {
  return db.kysely
    .selectFrom('rotation_event')
    .innerJoin('account', 'account.account', 'rotation_event.account')
    .select([
      'rotation_event.position',
      'rotation_event.account',
      'account.name',
      'rotation_event.rotation',
      'rotation_event.sequence',
      'rotation_event.at',
      'rotation_event.what',
    ]);
}

type EventRow = Awaited<ReturnType<ReturnType<typeof eventRows>['execute']>>[number];

function eventView({ position, account, name, rotation, sequence, at, what }: EventRow): EventView {
  const { event, ...fields } = shortEvent(what);
  return {
    position,
    account: name,
    accountId: account,
    rotation,
    sequence,
    at: at.toISOString(),
    event,
    what: fields,
  };
}
