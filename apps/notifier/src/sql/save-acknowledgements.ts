import { sql, type RawBuilder } from 'kysely';
import type { AccountId, InstanceId } from '@twinkey/contracts';
import type { StreamEvents } from '@twinkey/journal';
import type { InstanceEvent } from '@twinkey/key-switch';

export interface SaidByInstance {
  readonly instance: InstanceId;
  readonly event: InstanceEvent & { event: 'generation-acknowledged' };
}

/**
 * Keeps what instances acknowledged about an account, whose memberships the transaction has locked. Of one that said
 * several things the last one is kept.
 */
export function saveAcknowledgements(
  account: AccountId,
  said: readonly SaidByInstance[],
): RawBuilder<unknown> {
  const last = [...new Map(said.map((one) => [one.instance, one])).values()];
  const drains = last.map(({ event: { drainedAt } }) => (drainedAt === null ? null : isoOf(drainedAt)));
  return sql`
    update membership
    set acknowledged = said.generation, acknowledged_at = said.at, drained_at = said.drained_at
    from unnest(${last.map(({ instance }) => instance)}::text[],
                ${last.map(({ event }) => event.generation)}::integer[],
                ${last.map(({ event }) => isoOf(event.at))}::timestamptz[],
                ${drains}::timestamptz[]) as said (instance, generation, at, drained_at)
    where membership.account = ${account} and membership.instance = said.instance`;
}

/** The same for the journals of the instances, all of it. */
export function acknowledgedEvents(account: AccountId, said: readonly SaidByInstance[]): StreamEvents[] {
  return said.map(({ instance, event }) => ({
    stream: instance,
    events: [{ type: event.event, data: { account, ...event }, at: new Date(event.at) }],
  }));
}

function isoOf(at: number): string {
  return new Date(at).toISOString();
}
