import type { Database } from '@twinkey/journal';
import type { RotationView } from '../api/answers.js';
import type { RotationState } from './rotation-story.js';
import type { ConsoleTables } from './tables.js';

type Db = Database<ConsoleTables>;

export interface RotationsWanted {
  readonly state?: RotationState | undefined;
  /** The account's ARM id. */
  readonly account?: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listRotations(
  db: Db,
  { state, account, limit }: RotationsWanted,
): Promise<RotationView[]> {
  const rows = await rotationRows(db)
    .$if(state !== undefined, (query) => query.where('rotation.state', '=', state ?? 'asked'))
    .$if(account !== undefined, (query) => query.where('rotation.account', '=', account ?? ''))
    .orderBy('rotation.requested_at', 'desc')
    .orderBy('rotation.rotation')
    .limit(limit)
    .execute();
  return rows.map(rotationView);
}

/** The rotations whose id begins so; at most two, which is enough to see that the beginning is not unique. */
export async function findRotations(db: Db, beginning: string): Promise<RotationView[]> {
  const prefix = beginning.startsWith('r-') ? beginning : `r-${beginning}`;
  const rows = await rotationRows(db)
    .where('rotation.rotation', 'like', `${prefix}%`)
    .orderBy('rotation.rotation')
    .limit(2)
    .execute();
  return rows.map(rotationView);
}

function rotationRows(db: Db) {
  return db.kysely
    .selectFrom('rotation')
    .innerJoin('account', 'account.account', 'rotation.account')
    .selectAll('rotation')
    .select('account.name');
}

type RotationRow = Awaited<ReturnType<ReturnType<typeof rotationRows>['execute']>>[number];

function rotationView(row: RotationRow): RotationView {
  const { waiting, halt, refusal } = row;
  return {
    id: row.rotation,
    account: row.name,
    accountId: row.account,
    scope: row.scope,
    slot: row.slot,
    state: row.state,
    by: row.requested_by ?? row.asked_by,
    reason: row.reason ?? row.asked_reason,
    requestedAt: row.requested_at.toISOString(),
    step: row.step,
    steps: row.steps,
    waiting: waiting && {
      step: waiting.step ?? null,
      for: waiting.for,
      detail: waiting.detail,
      since: waiting.since,
      until: waiting.until ?? null,
    },
    halt: halt && {
      at: halt.at,
      step: halt.step ?? null,
      reason: halt.reason,
      detail: halt.detail,
      remedy: halt.remedy,
      goesOn: halt.goesOn ? { ...halt.goesOn, step: halt.goesOn.step ?? null } : null,
    },
    refusal: refusal && {
      at: refusal.at,
      command: refusal.command,
      code: refusal.code,
      detail: refusal.detail,
    },
    waived: row.waived,
    completedAt: row.completed_at?.toISOString() ?? null,
    seconds: row.seconds,
    keysReplaced: row.keys_replaced,
    lastEventAt: row.last_event_at.toISOString(),
  };
}
