import type { ConsumerName, Generation, InstanceId } from '@twinkey/contracts';
import { lapsesAt, standingOf, type Instance, type Terms } from './instance.js';
import type { KeySwitch } from './key-switch.js';

/** A live instance that holds the gate: it did not acknowledge exactly the published generation. */
export interface Missing {
  readonly consumer: ConsumerName;
  readonly instance: InstanceId;
  readonly generation: Generation;
  readonly lastSeenAt: number;
}

export type Owed =
  | { readonly owed: 'announcement' }
  | {
      readonly owed: 'answer';
      readonly outcome: 'acknowledged';
      /** From this moment on nothing signed with an older key is in flight. */
      readonly openFrom: number;
      readonly live: number;
    }
  | {
      readonly owed: 'answer';
      readonly outcome: 'overdue';
      readonly missing: readonly Missing[];
      /** From this moment on nothing of all others is in flight, for whoever goes on without the missing ones. */
      readonly openFrom: number;
      readonly live: number;
    }
  /** Nothing, unless somebody says something; look again then. null: only a new request matters. */
  | { readonly owed: 'nothing'; readonly lookAgainAt: number | null };

/**
 * What the switch owes its account now. Derived anew from what is known each time, so a message that was lost,
 * doubled or late is no more than a reason to look.
 */
export function owed(
  current: KeySwitch | null,
  instances: readonly Instance[],
  terms: Terms,
  now: number,
): Owed {
  if (current === null) return { owed: 'nothing', lookAgainAt: null };
  if (!current.announced) return { owed: 'announcement' };
  if (current.answer?.outcome === 'acknowledged') return { owed: 'nothing', lookAgainAt: null };

  const known = instances.filter(({ gone }) => !gone);
  const live = known.filter((instance) => standingOf(instance, terms, now) === 'live');
  const missing = missingOf(current, live);
  const nobody = known.length === 0;

  if (missing.length === 0 && !(nobody && current.withoutConsumers === 'wait')) {
    const openFrom = nobody ? now + current.drainSeconds * 1000 : openFromOf(current, known, terms, now);
    return { owed: 'answer', outcome: 'acknowledged', openFrom, live: live.length };
  }
  if (current.answer === null && now >= current.deadlineAt) {
    const others = known.filter((instance) => !missing.includes(instance));
    const openFrom = openFromOf(current, others, terms, now);
    return {
      owed: 'answer',
      outcome: 'overdue',
      missing: missing.map(describe),
      openFrom,
      live: live.length,
    };
  }
  const moments = missing.map((instance) => lapsesAt(instance, terms) + 1);
  if (current.answer === null) moments.push(current.deadlineAt);
  return { owed: 'nothing', lookAgainAt: moments.length === 0 ? null : Math.min(...moments) };
}

/** The instances of consumers nobody waived that are behind, or ahead: only the exact generation opens the gate. */
function missingOf(current: KeySwitch, live: readonly Instance[]): readonly Instance[] {
  return live.filter(
    ({ acknowledged, consumer }) => acknowledged !== current.generation && !current.waived.includes(consumer),
  );
}

/**
 * Asked only when no live instance is missing. An instance that acknowledged names the end of its own drain, even
 * when it lapsed since: it never goes back to an older generation. Any other lapsed one says nothing any more: until its lease was
 * over it may have relied on what it knew, afterwards it re-reads Key Vault at least every `rereadSeconds`, so it
 * used the older key for no longer than that after the publication, and its last call for `drainSeconds` more.
 */
function openFromOf(current: KeySwitch, known: readonly Instance[], terms: Terms, now: number): number {
  const skew = terms.clockSkewSeconds * 1000;
  const moments = known
    .filter(({ consumer }) => !current.waived.includes(consumer))
    .map((instance) => {
      if (instance.acknowledged === current.generation) {
        return instance.drainedAt === null ? now : instance.drainedAt + skew;
      }
      const lastUse = Math.max(current.publishedAt + terms.rereadSeconds * 1000, instance.leaseUntil);
      return lastUse + current.drainSeconds * 1000 + skew;
    });
  return Math.max(now, ...moments);
}

function describe({ consumer, instance, acknowledged, seenAt }: Instance): Missing {
  return { consumer, instance, generation: acknowledged, lastSeenAt: seenAt };
}
