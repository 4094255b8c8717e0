import type { ConsumerName, Generation, InstanceId } from '@twinkey/contracts';
import { byConsumer, deadlineOf, type Expectation } from './expectation.js';
import { lapsesAt, standingOf, type Instance, type Terms } from './instance.js';
import type { KeySwitch } from './key-switch.js';

/** What holds the gate: a live instance that did not acknowledge exactly the published generation, or its absence. */
export interface Missing {
  readonly consumer: ConsumerName;
  /** Absent: of a declared consumer there are fewer live instances than there must be. */
  readonly instance?: InstanceId;
  readonly live?: number;
  readonly minimum?: number;
  readonly generation: Generation;
  readonly lastSeenAt?: number;
}

export type Owed =
  | { readonly owed: 'announcement' }
  | {
      readonly owed: 'answer';
      readonly outcome: 'acknowledged';
      /** From this moment on nothing signed with an older key is in flight. */
      readonly openFrom: number;
      readonly live: number;
      /** Who is not waited for, as declared of it, although something of it is missing. */
      readonly forced: readonly ConsumerName[];
    }
  | {
      readonly owed: 'answer';
      readonly outcome: 'overdue';
      readonly missing: readonly Missing[];
      /** From this moment on nothing of all others is in flight, for whoever goes on without the missing ones. */
      readonly openFrom: number;
      readonly live: number;
      readonly forced: readonly ConsumerName[];
      /** One of the missing was declared to hold, whatever the account's policy says. */
      readonly hold: boolean;
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
  expected: readonly Expectation[],
): Owed {
  if (current === null) return { owed: 'nothing', lookAgainAt: null };
  if (!current.announced) return { owed: 'announcement' };
  if (current.answer?.outcome === 'acknowledged') return { owed: 'nothing', lookAgainAt: null };

  const declared = byConsumer(expected);
  const known = instances.filter(({ gone }) => !gone);
  const { live, behind, absent } = holdersOf(current, known, expected, terms, now);
  const isForced = ({ consumer }: { consumer: ConsumerName }) =>
    declared.get(consumer)?.onOverdue === 'force' && now >= deadlineOf(consumer, current, declared);
  const forced = [...new Set([...behind, ...absent].filter(isForced).map(({ consumer }) => consumer))];
  const waitedFor = behind.filter((instance) => !isForced(instance));
  const missing = [...waitedFor.map(describe), ...absent.filter((one) => !isForced(one))];
  const nobody = known.length === 0;
  // A deadline leaves out who does not answer; what the others have in flight still counts.
  const othersOpenFrom = () => {
    const left = new Set(behind);
    return openFromOf(
      current,
      known.filter((instance) => !left.has(instance)),
      terms,
      now,
    );
  };

  if (missing.length === 0 && !(nobody && current.withoutConsumers === 'wait')) {
    const openFrom = nobody ? now + current.drainSeconds * 1000 : othersOpenFrom();
    return { owed: 'answer', outcome: 'acknowledged', openFrom, live: live.length, forced };
  }
  // Who is forced is not missing any more at its own deadline; who is still missing then was declared to hold.
  const late = missing.filter(({ consumer }) => now >= deadlineOf(consumer, current, declared));
  if (current.answer === null && (late.length > 0 || now >= current.deadlineAt)) {
    return {
      owed: 'answer',
      outcome: 'overdue',
      missing: late,
      openFrom: othersOpenFrom(),
      live: live.length,
      forced,
      hold: late.some(({ consumer }) => declared.get(consumer)?.onOverdue === 'hold'),
    };
  }
  const moments = waitedFor.map((instance) => lapsesAt(instance, terms) + 1);
  for (const { consumer } of missing) {
    const isForcedLater = declared.get(consumer)?.onOverdue === 'force';
    if (current.answer === null || isForcedLater) moments.push(deadlineOf(consumer, current, declared));
  }
  if (current.answer === null) moments.push(current.deadlineAt);
  return { owed: 'nothing', lookAgainAt: moments.length === 0 ? null : Math.min(...moments) };
}

/** Everything that the switch waits for, whatever its deadline says: who is behind, and who is not there at all. */
export function missingOf(
  current: KeySwitch,
  instances: readonly Instance[],
  terms: Terms,
  now: number,
  expected: readonly Expectation[],
): readonly Missing[] {
  const { behind, absent } = holdersOf(current, instances, expected, terms, now);
  return [...behind.map(describe), ...absent];
}

/** Instances of consumers that nobody waived which are behind, or ahead: only the exact generation opens the gate. */
function holdersOf(
  current: KeySwitch,
  known: readonly Instance[],
  expected: readonly Expectation[],
  terms: Terms,
  now: number,
) {
  const isWaived = (consumer: ConsumerName) => current.waived.includes(consumer);
  const live = known.filter((instance) => standingOf(instance, terms, now) === 'live');
  const behind = live.filter(
    ({ acknowledged, consumer }) => acknowledged !== current.generation && !isWaived(consumer),
  );
  const absent = expected.flatMap(({ consumer, minimum }): Missing[] => {
    const there = live.filter((instance) => instance.consumer === consumer).length;
    if (there >= minimum || isWaived(consumer)) return [];
    return [{ consumer, live: there, minimum, generation: 0 as Generation }];
  });
  return { live, behind, absent };
}

/**
 * Asked of whoever is not missing. An instance that acknowledged names the end of its own drain, even
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
