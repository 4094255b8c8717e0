import { sql } from 'kysely';
import type { InstanceId } from '@twinkey/contracts';
import type { Trx } from '../tables.js';

export interface NotedLease {
  readonly instance: InstanceId;
  readonly lapsedAt: number | null;
  readonly lookAt: number;
}

/** Says of instances that this transaction has locked since when they are silent, and when to look again. */
export async function noteLeases(trx: Trx, noted: readonly NotedLease[]): Promise<void> {
  if (noted.length === 0) return;
  const lapsedAt = noted.map(({ lapsedAt: at }) => (at === null ? null : new Date(at)));
  await sql`
    update instance set lapsed_at = n.lapsed_at, look_at = n.look_at
    from unnest(${noted.map(({ instance }) => instance)}::text[],
                ${lapsedAt}::timestamptz[],
                ${noted.map(({ lookAt }) => new Date(lookAt))}::timestamptz[]) as n (instance, lapsed_at, look_at)
    where instance.instance = n.instance`.execute(trx);
}
