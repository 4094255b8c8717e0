// What the key rings say, as metrics.
import type { AccountId } from '@twinkey/contracts';
import type { Database } from '@twinkey/journal';
import { accountLabels, type Reading, type Sample } from '@twinkey/service';
import { sql } from 'kysely';

interface Row {
  readonly account: AccountId;
  readonly key1: number | null;
  readonly key2: number | null;
  readonly published: number | null;
  readonly requested: number | null;
  readonly step: number | null;
  readonly halted: boolean;
  readonly waiting: boolean;
  readonly drift: boolean;
}

/** Of all accounts under care, in one query: 10,000 rings take it half a second on a busy machine. */
export function keyRingReading(database: Database, clock: () => Date): Reading {
  return {
    name: 'key rings',
    gauges: [
      'twinkey_key_age_seconds',
      'twinkey_published_age_seconds',
      'twinkey_rotation_age_seconds',
      'twinkey_step_age_seconds',
      'twinkey_drift_accounts',
    ],
    read: async () => {
      // Unpacked once per row: each operator on json would parse the whole ring.
      const { rows } = await sql<Row>`
        select a.account,
               (ring #>> '{slots,key1,regeneratedAt}')::float8 as key1,
               (ring #>> '{slots,key2,regeneratedAt}')::float8 as key2,
               (ring #>> '{published,at}')::float8 as published,
               (ring #>> '{rotation,requestedAt}')::float8 as requested,
               (ring #>> '{rotation,stepSince}')::float8 as step,
               ring #>> '{rotation,halted,reason}' is not null as halted,
               ring ->> 'waiting' is not null as waiting,
               ring ->> 'drift' is not null as drift
        from account a join stream s on s.name = a.account
             cross join lateral (select s.state::jsonb as ring offset 0) unpacked
        where not a.withdrawn`.execute(database.kysely);
      const names = accountLabels(rows.map(({ account }) => account));
      const now = clock().getTime();
      return rows.flatMap((row) => samplesOf(row, names.get(row.account) ?? '', now));
    },
  };
}

function samplesOf(row: Row, account: string, now: number): readonly Sample[] {
  const since = (at: number) => Math.max(0, (now - at) / 1_000);
  const samples: Sample[] = [];
  for (const slot of ['key1', 'key2'] as const) {
    const madeAt = row[slot];
    if (madeAt !== null)
      samples.push({ gauge: 'twinkey_key_age_seconds', labels: { account, slot }, value: since(madeAt) });
  }
  if (row.published !== null)
    samples.push({
      gauge: 'twinkey_published_age_seconds',
      labels: { account },
      value: since(row.published),
    });
  if (row.requested !== null) {
    const state = row.halted ? 'halted' : row.waiting ? 'waiting' : 'running';
    const value = since(row.requested);
    samples.push({ gauge: 'twinkey_rotation_age_seconds', labels: { account, state }, value });
  }
  if (row.requested !== null && row.step !== null)
    samples.push({ gauge: 'twinkey_step_age_seconds', labels: { account }, value: since(row.step) });
  if (row.drift) samples.push({ gauge: 'twinkey_drift_accounts', labels: { account }, value: 1 });
  return samples;
}
