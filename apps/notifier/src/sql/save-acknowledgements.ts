import { sql } from 'kysely';
import type { AccountId, InstanceId } from '@twinkey/contracts';
import { appendJournals } from '@twinkey/journal';
import type { InstanceEvent } from '@twinkey/key-switch';
import type { Trx } from '../tables.js';

export interface SaidByInstance {
  readonly instance: InstanceId;
  readonly event: InstanceEvent & { event: 'generation-acknowledged' };
}

/**
 * Keeps what instances acknowledged about an account, whose memberships this transaction has locked, and notes all of it
 * in their journals. Of one that said several things the last one is kept.
 */
export async function saveAcknowledgements(
  trx: Trx,
  account: AccountId,
  said: readonly SaidByInstance[],
): Promise<void> {
  const last = [...new Map(said.map((one) => [one.instance, one])).values()];
  const drains = last.map(({ event: { drainedAt } }) => (drainedAt === null ? null : isoOf(drainedAt)));
  await sql`
    update membership
    set acknowledged = said.generation, acknowledged_at = said.at, drained_at = said.drained_at
    from unnest(${last.map(({ instance }) => instance)}::text[],
                ${last.map(({ event }) => event.generation)}::integer[],
                ${last.map(({ event }) => isoOf(event.at))}::timestamptz[],
                ${drains}::timestamptz[]) as said (instance, generation, at, drained_at)
    where membership.account = ${account} and membership.instance = said.instance`.execute(trx);
  await appendJournals(
    trx,
    said.map(({ instance, event }) => ({
      stream: instance,
      events: [{ type: event.event, data: { account, ...event }, at: new Date(event.at) }],
    })),
  );
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
