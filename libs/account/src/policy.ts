// A policy as people write it becomes the terms that travel with an account, and the scheduler's own part.
import type { RotationPolicy } from '@twinkey/contracts';
import { parseDuration } from './duration.js';

/** As written in the file, durations still as text. */
export interface WrittenPolicy {
  readonly interval: string;
  readonly acknowledgeWithin: string;
  readonly onOverdue: 'hold' | 'force';
  readonly drain: string;
  readonly withoutConsumers: 'wait' | 'rotate';
  readonly firstRotation: 'now' | 'after-interval';
  readonly spread: string;
  /** How often an account at rest is looked at for changes made by hand. */
  readonly lookEvery: string;
  /** What holds instead while a leaked key is retired. */
  readonly emergency: { readonly acknowledgeWithin: string; readonly onOverdue: 'hold' | 'force' };
}

/** When an account's rotations are due: the part of a policy that only the scheduler needs. */
export interface Schedule {
  readonly intervalSeconds: number;
  /** The first rotation: as soon as the account is seen, or when the interval passed from then on. */
  readonly firstRotation: 'now' | 'after-interval';
  /** The first rotations of a fleet fall evenly into this stretch of time instead of all at once. */
  readonly spreadSeconds: number;
}

export interface PolicyFault {
  readonly field: keyof WrittenPolicy | 'emergency.acknowledgeWithin';
  readonly rule: string;
  readonly remedy: string;
}

export type ReadPolicy =
  | { readonly ok: true; readonly terms: RotationPolicy; readonly schedule: Schedule }
  | { readonly ok: false; readonly faults: readonly PolicyFault[] };

/** Reads a policy, with every fault at once. */
export function readPolicy(name: string, written: WrittenPolicy): ReadPolicy {
  const faults: PolicyFault[] = [];
  const seconds = (
    field:
      'interval' | 'acknowledgeWithin' | 'drain' | 'spread' | 'lookEvery' | 'emergency.acknowledgeWithin',
    whole: boolean,
  ): number => {
    const text =
      field === 'emergency.acknowledgeWithin' ? written.emergency.acknowledgeWithin : written[field];
    const read = parseDuration(text);
    if (!read.ok) {
      faults.push({ field, rule: read.problem, remedy: `correct "${text}"` });
      return Number.NaN; // compares false with everything below: one fault per field
    }
    if (whole && !Number.isInteger(read.seconds)) {
      faults.push({ field, rule: 'must be whole seconds', remedy: `round "${text}"` });
    }
    return read.seconds;
  };
  const intervalSeconds = seconds('interval', true);
  const acknowledgeWithinSeconds = seconds('acknowledgeWithin', true);
  const drainSeconds = seconds('drain', false);
  const spreadSeconds = seconds('spread', true);
  const lookEverySeconds = seconds('lookEvery', false);
  const emergencySeconds = seconds('emergency.acknowledgeWithin', true);
  const must = (holds: boolean, field: PolicyFault['field'], rule: string, remedy: string) => {
    if (!holds) faults.push({ field, rule, remedy });
  };
  must(!(intervalSeconds <= 0), 'interval', 'must be longer than 0', 'write for example P30D');
  must(
    !(acknowledgeWithinSeconds <= 0),
    'acknowledgeWithin',
    'must be longer than 0',
    'write for example PT24H',
  );
  must(!(lookEverySeconds <= 0), 'lookEvery', 'must be longer than 0', 'write for example PT1M');
  must(
    !(emergencySeconds <= 0),
    'emergency.acknowledgeWithin',
    'must be longer than 0',
    'write for example PT15M',
  );
  must(
    !(drainSeconds >= acknowledgeWithinSeconds) || acknowledgeWithinSeconds <= 0,
    'drain',
    'must be shorter than acknowledgeWithin, or every key switch is overdue',
    'shorten drain or lengthen acknowledgeWithin',
  );
  must(
    !(spreadSeconds > intervalSeconds) || intervalSeconds <= 0,
    'spread',
    'must not be longer than interval, or an account waits longer for its first rotation than for its second',
    'shorten spread',
  );
  if (faults.length > 0) return { ok: false, faults };
  const { onOverdue, withoutConsumers, firstRotation } = written;
  const emergency = {
    acknowledgeWithinSeconds: emergencySeconds,
    onOverdue: written.emergency.onOverdue,
  };
  return {
    ok: true,
    terms: {
      name,
      intervalSeconds,
      acknowledgeWithinSeconds,
      onOverdue,
      drainSeconds,
      withoutConsumers,
      lookEverySeconds,
      emergency,
    },
    schedule: { intervalSeconds, firstRotation, spreadSeconds },
  };
}
