import type { ConsumerName, Generation, InstanceId } from '@twinkey/contracts';

/** One running process of a consumer, as one account sees it. Each start of a process is an instance of its own. */
export interface Instance {
  readonly instance: InstanceId;
  readonly consumer: ConsumerName;
  readonly boot: string;
  readonly registeredAt: number;
  /** When it was last heard of. */
  readonly seenAt: number;
  readonly leaseUntil: number;
  /** The highest generation that it said it uses; 0 is none. */
  readonly acknowledged: Generation;
  /** When the last call signed with an older generation dies; null: nothing was in flight any more. */
  readonly drainedAt: number | null;
  /** It said goodbye: it holds no key and has no call in flight. */
  readonly gone: boolean;
}

/** Numbers from the configuration that decide what silence means. */
export interface Terms {
  readonly leaseSeconds: number;
  /** A lapsed instance uses a key only if it re-read Key Vault within this time. */
  readonly rereadSeconds: number;
  /** How far the clocks of services, database and consumers may be apart. */
  readonly clockSkewSeconds: number;
}

/**
 * live ──lease over + skew──► lapsed ──heartbeat──► live
 *   └──────────goodbye──────────┴─────► gone (for ever)
 * Derived from the lease, never stored: a stored word would be wrong as soon as nobody updates it.
 */
export type Standing = 'live' | 'lapsed' | 'gone';

export function standingOf(instance: Instance, terms: Terms, now: number): Standing {
  if (instance.gone) return 'gone';
  return now > lapsesAt(instance, terms) ? 'lapsed' : 'live';
}

/** The last moment at which the instance counts as live unless it is heard of again. */
export function lapsesAt(instance: Pick<Instance, 'leaseUntil'>, terms: Terms): number {
  return instance.leaseUntil + terms.clockSkewSeconds * 1000;
}

export type InstanceCommand =
  | {
      readonly command: 'register';
      readonly instance: InstanceId;
      readonly consumer: ConsumerName;
      readonly boot: string;
    }
  | { readonly command: 'heartbeat'; readonly boot: string }
  | {
      readonly command: 'acknowledge';
      readonly boot: string;
      readonly generation: Generation;
      readonly drainedAt: number | null;
      /** The generation that the account's switch is about; 0: nothing is published as far as we know. */
      readonly published: Generation;
    }
  | { readonly command: 'leave' };

export type InstanceEvent =
  | {
      readonly event: 'instance-registered';
      readonly instance: InstanceId;
      readonly consumer: ConsumerName;
      readonly boot: string;
      readonly at: number;
      readonly leaseUntil: number;
    }
  | { readonly event: 'lease-renewed'; readonly at: number; readonly leaseUntil: number }
  | {
      readonly event: 'generation-acknowledged';
      readonly generation: Generation;
      readonly drainedAt: number | null;
      readonly at: number;
      /** Above the published generation: somebody published without telling us, or a database was restored. */
      readonly ahead: boolean;
    }
  | { readonly event: 'instance-left'; readonly at: number };

/** `unknown-instance`: never registered here, or it said goodbye. `stale-boot`: another process's number. */
export type InstanceRefusal = 'unknown-instance' | 'stale-boot';

export type InstanceDecision =
  | { readonly events: readonly InstanceEvent[]; readonly refused?: never }
  | { readonly refused: InstanceRefusal; readonly events?: never };

/** Judges what an instance says about itself. Never throws. */
export function decideInstance(
  current: Instance | null,
  command: InstanceCommand,
  terms: Terms,
  now: number,
): InstanceDecision {
  // Two heartbeats may overtake each other, and a lease never ends earlier than promised.
  const leaseUntil = Math.max(now + terms.leaseSeconds * 1000, current?.leaseUntil ?? 0);
  if (command.command === 'register') {
    if (current !== null && !current.gone) {
      // The answer to its first attempt was lost. What it acknowledged meanwhile is still true.
      if (current.boot !== command.boot) return { refused: 'stale-boot' };
      return { events: [{ event: 'lease-renewed', at: now, leaseUntil }] };
    }
    const { instance, consumer, boot } = command;
    return { events: [{ event: 'instance-registered', instance, consumer, boot, at: now, leaseUntil }] };
  }
  if (current === null || current.gone) return { refused: 'unknown-instance' };
  if (command.command === 'leave') return { events: [{ event: 'instance-left', at: now }] };
  if (command.boot !== current.boot) return { refused: 'stale-boot' };
  if (command.command === 'heartbeat') {
    return { events: [{ event: 'lease-renewed', at: now, leaseUntil }] };
  }
  return { events: acknowledged(current, command, now) };
}

function acknowledged(
  current: Instance,
  {
    generation,
    drainedAt,
    published,
  }: { generation: Generation; drainedAt: number | null; published: Generation },
  now: number,
): readonly InstanceEvent[] {
  if (generation < current.acknowledged || generation === 0) return [];
  // Said again (each heartbeat does): only a drain that ends later than the one we know tells us something.
  if (generation === current.acknowledged && (drainedAt ?? 0) <= (current.drainedAt ?? 0)) return [];
  return [
    { event: 'generation-acknowledged', generation, drainedAt, at: now, ahead: generation > published },
  ];
}

/** Folds one event in; null stays null until the instance is registered. */
export function evolveInstance(current: Instance | null, event: InstanceEvent): Instance | null {
  if (event.event === 'instance-registered') {
    const { instance, consumer, boot, at, leaseUntil } = event;
    const unknown = { acknowledged: 0 as Generation, drainedAt: null, gone: false };
    return { instance, consumer, boot, registeredAt: at, seenAt: at, leaseUntil, ...unknown };
  }
  if (current === null) return null;
  switch (event.event) {
    case 'lease-renewed':
      return { ...current, seenAt: event.at, leaseUntil: event.leaseUntil };
    case 'generation-acknowledged':
      return { ...current, acknowledged: event.generation, drainedAt: event.drainedAt };
    case 'instance-left':
      return { ...current, gone: true };
    default:
      return event satisfies never;
  }
}
