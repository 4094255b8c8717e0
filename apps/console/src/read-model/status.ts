import type { Database } from '@twinkey/journal';
import type { AccountView, AttentionView, RotationView, ServiceView, StatusView } from '../api/answers.js';
import { listAccounts } from './accounts.js';
import { listRotations } from './rotations.js';
import type { ConsoleTables } from './tables.js';

type Db = Database<ConsoleTables>;

/** Services say that they are alive every few seconds; this long without a word is a sign that one is down. */
const SILENT_AFTER_MS = 90_000;
/** Every rotation waits a moment for its consumers; only a longer wait is news. */
const WAIT_IS_NEWS_AFTER_MS = 60_000;
const MOST_ATTENTION = 100;

/** The fleet at a glance, and what a person should look at. */
export async function fleetStatus(db: Db, now: Date): Promise<StatusView> {
  const accounts = (await listAccounts(db, now)).filter(({ state }) => state !== 'withdrawn');
  const count = (state: string) => accounts.filter((account) => account.state === state).length;
  return {
    at: now.toISOString(),
    accounts: {
      total: accounts.length,
      healthy: count('healthy'),
      due: count('due'),
      rotating: count('rotating'),
      waiting: count('waiting'),
      halted: count('halted'),
    },
    attention: [
      ...(await needingAttention(db, now)),
      ...accounts.flatMap(asEscalated),
      ...accounts.map(asDrift).filter((attention) => attention !== undefined),
    ],
    services: await services(db, now),
  };
}

async function needingAttention(db: Db, now: Date): Promise<AttentionView[]> {
  const halted = await listRotations(db, { state: 'halted', limit: MOST_ATTENTION });
  const waiting = await listRotations(db, { state: 'waiting', limit: MOST_ATTENTION });
  return [...halted.map(asHalted), ...waiting.map((rotation) => asWaiting(rotation, now))].filter(
    (attention) => attention !== undefined,
  );
}

function asEscalated({ name, rotation, step, consumers }: AccountView): AttentionView[] {
  return consumers.flatMap(({ consumer, live, minimum = 0, escalated }) => {
    if (escalated === undefined) return [];
    const few = live < minimum ? `, with ${live} of at least ${minimum} instances` : '';
    return [
      {
        account: name,
        rotation,
        state: 'escalated' as const,
        step,
        since: escalated.since,
        detail: `${consumer} keeps the key switch waiting${few}; ${escalated.to} is to be told`,
        until: null,
        remedy: null,
      },
    ];
  });
}

function asDrift({ name, rotation, step, drift }: AccountView): AttentionView | undefined {
  if (drift === null || drift.over !== null) return undefined;
  return {
    account: name,
    rotation,
    state: 'drift',
    step,
    since: drift.at,
    detail: `${drift.kind}: ${drift.detail}`,
    until: null,
    remedy: null,
  };
}

function asHalted({ account, id, halt, step }: RotationView): AttentionView | undefined {
  if (!halt) return undefined;
  return {
    account,
    rotation: id,
    state: 'halted',
    step,
    since: halt.at,
    detail: `${halt.reason}: ${halt.detail}`,
    until: null,
    remedy: halt.remedy,
  };
}

function asWaiting({ account, id, waiting, step }: RotationView, now: Date): AttentionView | undefined {
  if (!waiting || now.getTime() - Date.parse(waiting.since) < WAIT_IS_NEWS_AFTER_MS) return undefined;
  return {
    account,
    rotation: id,
    state: 'waiting',
    step,
    since: waiting.since,
    detail: waiting.detail,
    until: waiting.until,
    remedy: null,
  };
}

async function services(db: Db, now: Date): Promise<ServiceView[]> {
  const rows = await db.kysely.selectFrom('service_life').selectAll().execute();
  return (['scheduler', 'rotator', 'notifier'] as const).map((service) => {
    const known = rows.find((row) => row.service === service);
    return {
      service,
      alive: known ? now.getTime() - known.last_seen_at.getTime() < SILENT_AFTER_MS : null,
      startedAt: known?.started_at.toISOString() ?? null,
      lastSeenAt: known?.last_seen_at.toISOString() ?? null,
    };
  });
}
