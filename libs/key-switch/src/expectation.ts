import type { ConsumerName } from '@twinkey/contracts';
import type { KeySwitch } from './key-switch.js';

/** What was declared about a consumer of the account: it may hold the gate although no instance of it was ever seen. */
export interface Expectation {
  readonly consumer: ConsumerName;
  /** Fewer live instances than this hold the gate. */
  readonly minimum: number;
  /** Its own deadline; null: the account's. It counts only together with `onOverdue`, and never after the account's. */
  readonly deadlineAt: number | null;
  /**
   * What its silence means at its deadline: `force` leaves its acknowledgements out, `hold` is answered as overdue.
   * null: it has nothing of its own, the account's deadline and policy hold.
   */
  readonly onOverdue: 'hold' | 'force' | null;
}

export type Expectations = ReadonlyMap<ConsumerName, Expectation>;

/** One expectation per consumer. */
export function byConsumer(expected: readonly Expectation[]): Expectations {
  return new Map(expected.map((one) => [one.consumer, one]));
}

/** When the switch stops to wait for a consumer in silence: then it is left out, or answered as overdue. */
export function deadlineOf(
  consumer: ConsumerName,
  { deadlineAt }: Pick<KeySwitch, 'deadlineAt'>,
  expected: Expectations,
): number {
  const own = expected.get(consumer);
  if (own === undefined || own.onOverdue === null || own.deadlineAt === null) return deadlineAt;
  return Math.min(own.deadlineAt, deadlineAt);
}
