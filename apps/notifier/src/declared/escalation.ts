import type { ConsumerDeclaration, ConsumerName } from '@twinkey/contracts';
import type { KeySwitch, Missing } from '@twinkey/key-switch';

export interface Escalated {
  readonly to: string;
  readonly since: number;
}

export interface Escalations {
  readonly told: ReadonlyMap<ConsumerName, Escalated>;
  /** When the next one is to be told; null: none is, unless somebody says something. */
  readonly nextAt: number | null;
}

/** Which declared consumers have kept the switch waiting for so long that somebody is to be told. */
export function escalations(
  current: KeySwitch | null,
  missing: readonly Missing[],
  declared: readonly ConsumerDeclaration[],
  askedAt: number | null,
  now: number,
): Escalations {
  const told = new Map<ConsumerName, Escalated>();
  if (current === null || askedAt === null || current.answer?.outcome === 'acknowledged') {
    return { told, nextAt: null };
  }
  const silent = new Set(missing.map(({ consumer }) => consumer));
  let nextAt: number | null = null;
  for (const { consumer, escalate } of declared) {
    if (escalate === undefined || !silent.has(consumer)) continue;
    const since = askedAt + escalate.afterSeconds * 1000;
    if (now >= since) told.set(consumer, { to: escalate.to, since });
    else nextAt = Math.min(nextAt ?? since, since);
  }
  return { told, nextAt };
}
