import { AccountId, accountParts, shortFingerprint } from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import { sql } from 'kysely';
import type { AccountDetail, AccountView } from '../api/answers.js';
import { listRotations } from './rotations.js';
import type { ConsoleTables } from './tables.js';

type Db = Database<ConsoleTables>;

/** How many rotations are shown with one account. */
const LATEST_ROTATIONS = 10;

/** All accounts by name, withdrawn ones last. */
export async function listAccounts(db: Db, now: Date): Promise<AccountView[]> {
  const rows = await accountRows(db)
    .orderBy(sql`account.withdrawn_at is not null`)
    .orderBy('account.name')
    .execute();
  const keys = await latestKeys(db);
  return rows.map((row) => accountView(row, keys.get(row.account) ?? [], now));
}

/** An account with its settings and latest rotations. */
export async function showAccount(db: Db, account: string, now: Date): Promise<AccountDetail | undefined> {
  const row = await accountRows(db).where('account.account', '=', account).executeTakeFirst();
  if (!row) return undefined;
  const keys = await latestKeys(db, account);
  const rotations = await listRotations(db, { account, limit: LATEST_ROTATIONS });
  const { settings } = row;
  return {
    ...accountView(row, keys.get(account) ?? [], now),
    settings: settings && {
      kind: settings.kind,
      location: settings.location,
      endpoint: settings.endpoint,
      secret: settings.secret,
      policy: settings.policy,
    },
    rotations,
  };
}

/**
 * The ids of the accounts that go by this name, `resource-group/name` or ARM id; more than one when a name is
 * not unique.
 */
export async function findAccounts(db: Db, called: string): Promise<string[]> {
  const id = AccountId.safeParse(called);
  const [name = '', group] = called.toLowerCase().split('/').reverse();
  const rows = await db.kysely
    .selectFrom('account')
    .select('account')
    .where(id.success ? 'account' : 'name', '=', id.success ? id.data : name)
    .orderBy('account')
    .execute();
  return rows
    .map(({ account }) => AccountId.parse(account))
    .filter((account) => id.success || group === undefined || accountParts(account).resourceGroup === group);
}

function accountRows(db: Db) {
  return db.kysely
    .selectFrom('account')
    .leftJoinLateral(
      (open) =>
        open
          .selectFrom('rotation')
          .select(['rotation.rotation', 'rotation.state', 'rotation.step'])
          .whereRef('rotation.account', '=', 'account.account')
          .where('rotation.state', 'in', ['running', 'waiting', 'halted'])
          .orderBy('rotation.requested_at', 'desc')
          .limit(1)
          .as('open'),
      (join) => join.onTrue(),
    )
    .leftJoinLateral(
      (last) =>
        last
          .selectFrom('rotation')
          .select(({ fn }) => fn.max('rotation.completed_at').as('completed_at'))
          .whereRef('rotation.account', '=', 'account.account')
          .as('last'),
      (join) => join.onTrue(),
    )
    .selectAll('account')
    .select([
      'open.rotation as open_rotation',
      'open.state as open_state',
      'open.step as open_step',
      'last.completed_at as last_rotated_at',
    ]);
}

type AccountRow = Awaited<ReturnType<ReturnType<typeof accountRows>['execute']>>[number];
type KeyView = AccountView['keys'][number];

/** What each slot holds as far as the events say. */
async function latestKeys(db: Db, account?: string): Promise<Map<string, KeyView[]>> {
  const rows = await db.kysely
    .selectFrom('account_key')
    .distinctOn(['account', 'slot'])
    .select(['account', 'slot', 'fingerprint', 'retired_at'])
    .where('named_sequence', '>', 0)
    .$if(account !== undefined, (query) => query.where('account', '=', account ?? ''))
    .orderBy('account')
    .orderBy('slot')
    .orderBy('named_sequence', 'desc')
    .execute();
  const keys = new Map<string, KeyView[]>();
  for (const { account: id, slot, fingerprint, retired_at } of rows) {
    const key: KeyView = {
      slot,
      fingerprint: retired_at === null ? shortFingerprint(fingerprint) : null,
    };
    keys.set(id, [...(keys.get(id) ?? []), key]);
  }
  return keys;
}

function accountView(row: AccountRow, keys: KeyView[], now: Date): AccountView {
  const { published_slot, published_fingerprint, published_at } = row;
  return {
    name: row.name,
    account: row.account,
    state: stateOf(row, now),
    rotation: row.open_rotation,
    step: row.open_step,
    published:
      published_slot === null || published_fingerprint === null || published_at === null
        ? null
        : {
            slot: published_slot,
            generation: row.published_generation,
            fingerprint: shortFingerprint(published_fingerprint),
            at: published_at.toISOString(),
          },
    keys,
    nextDueAt: row.next_due_at?.toISOString() ?? null,
    lastRotatedAt: row.last_rotated_at?.toISOString() ?? null,
    consumers: row.consumers ?? [],
    drift: row.drift && { ...row.drift, over: row.drift.over ?? null },
    withdrawn:
      row.withdrawn_at === null
        ? null
        : { at: row.withdrawn_at.toISOString(), reason: row.withdrawn_reason ?? '' },
  };
}

function stateOf(row: AccountRow, now: Date): AccountView['state'] {
  if (row.withdrawn_at !== null) return 'withdrawn';
  switch (row.open_state) {
    case 'halted':
    case 'waiting':
      return row.open_state;
    case 'running':
      return 'rotating';
    default:
      return row.next_due_at !== null && row.next_due_at <= now ? 'due' : 'healthy';
  }
}
